#include "core/memory.hpp"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace evd {

void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 16 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

}  // namespace evd
