#include "train/exchange.hpp"

#include "train/card_exchange.hpp"
#include "train/shared_exchange.hpp"

namespace evd::train {
namespace {

constexpr double kPatience_s = 300;  // until all ranks' cards have found each other

}  // namespace

std::unique_ptr<Exchange> make_exchange(State& state) {
  const auto& world = state.sharding().grid().world();
  if (state.engine().is_plain()) return std::make_unique<SharedExchange>(state);
  return std::make_unique<CardExchange>(state, state.engine().on_card()
                                                   ? nccl::between_cards(world, kPatience_s)
                                                   : nccl::over_mpi(world, nccl::Memory::host));
}

}  // namespace evd::train
