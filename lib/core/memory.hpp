#pragma once

namespace evd {

/// Keeps memory that is freed for what is asked for next, up to 256 MiB, instead of giving it back
/// to the kernel at once. For programs through which pictures pass by the thousand: each would be
/// mapped, cleared and unmapped anew, which takes longer than reading it from a socket.
void keep_freed_memory();

}  // namespace evd
