#pragma once

#include <cstddef>
#include <string>

namespace evd::cuda {

/// One card, as the driver tells of it.
struct DeviceFacts {
  std::string name;  ///< "NVIDIA H100 80GB HBM3"
  std::string uuid;  ///< the same for all processes that see this card, whatever its number there
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
};

/// Whether this program was linked with CUDA at all.
[[nodiscard]] bool is_built_in();
/// Cards that this process may use; 0 without CUDA, driver or card.
[[nodiscard]] int device_count();
/// Why device_count() is 0, for a message: "no CUDA-capable device is detected".
[[nodiscard]] std::string why_none();
/// The calling thread's card from now on. InternalError when it cannot be used.
void use_device(int index);
/// Of the calling thread's card. InternalError.
[[nodiscard]] DeviceFacts facts();
/// Waits until the calling thread's card has done what was asked of it; an error of that work comes
/// out here. InternalError.
void synchronize();

/// Memory that host and card both address (cudaMallocManaged), kept on the card unless the host
/// touches it. Move-only through its owner; zero at first. The host may touch it only when no work
/// of the card on it is under way: after synchronize() or copy().
[[nodiscard]] void* allocate_managed(std::size_t bytes);
void free_managed(void* memory) noexcept;

/// Copies between any two places of host and card, behind the work that the card was given before,
/// and waits until it is done.
void copy(void* to, const void* from, std::size_t bytes);

}  // namespace evd::cuda
