#include "nn/torch_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <optional>

#include "core/error.hpp"
#include "nn/pickle.hpp"
#include "nn/zip_archive.hpp"

namespace evd::nn {
namespace {

using Call = PickleNode::Call;
using Dict = PickleNode::Dict;
using Global = PickleNode::Global;
using Persistent = PickleNode::Persistent;
using Sequence = PickleNode::Sequence;

struct StorageClass {
  std::string_view global;
  TensorType type;
};

constexpr std::array<StorageClass, 10> kStorages = {{{"torch FloatStorage", TensorType::F32},
                                                     {"torch HalfStorage", TensorType::F16},
                                                     {"torch BFloat16Storage", TensorType::BF16},
                                                     {"torch DoubleStorage", TensorType::F64},
                                                     {"torch LongStorage", TensorType::I64},
                                                     {"torch IntStorage", TensorType::I32},
                                                     {"torch ShortStorage", TensorType::I16},
                                                     {"torch CharStorage", TensorType::I8},
                                                     {"torch ByteStorage", TensorType::U8},
                                                     {"torch BoolStorage", TensorType::BOOL}}};

constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 58;
constexpr std::string_view kTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kParameter = "torch._utils _rebuild_parameter";

// What state dicts, optimizers, schedulers and counters consist of. None of it is ever called.
bool is_allowed(const std::string& global) {
  static constexpr std::array<std::string_view, 13> kNames = {kTensor,
                                                              kParameter,
                                                              "collections OrderedDict",
                                                              "collections defaultdict",
                                                              "builtins dict",
                                                              "torch Size",
                                                              "torch device",
                                                              "argparse Namespace",
                                                              "numpy dtype",
                                                              "numpy.core.multiarray scalar",
                                                              "numpy._core.multiarray scalar",
                                                              "_codecs encode",
                                                              "torch.storage UntypedStorage"};
  const auto is_storage = [&](const StorageClass& one) { return one.global == global; };
  return std::find(kNames.begin(), kNames.end(), global) != kNames.end() ||
         std::any_of(kStorages.begin(), kStorages.end(), is_storage);
}

const Sequence* arguments_of(const PickleNode& node, std::string_view function) {
  const auto* call = node.as<Call>();
  if (call == nullptr || call->function->as<Global>()->name != function) return nullptr;
  return call->arguments->as<Sequence>();
}

// A parameter wraps its tensor.
const Sequence* tensor_arguments(const PickleNode& node) {
  if (const auto* wrapped = arguments_of(node, kParameter))
    return wrapped->items.empty() ? nullptr : arguments_of(*wrapped->items[0], kTensor);
  return arguments_of(node, kTensor);
}

class Reader {
 public:
  Reader(Bytes file, const std::string& where)
      : where_(where), members_(stored_members(file, where)) {
    // All members lie in one folder, whose name is the file's first one.
    for (const auto& [name, bytes] : members_)
      if (name == "data.pkl" || name.ends_with("/data.pkl"))
        root_ = name.substr(0, name.size() - std::string_view("data.pkl").size());
    if (!root_) refuse("data.pkl is missing or compressed");
    if (find("constants.pkl") != nullptr)
      refuse("it is a TorchScript program; load it in Python and torch.save its state_dict()");
    if (const Bytes* order = find("byteorder"))
      if (std::string_view(reinterpret_cast<const char*>(order->data()), order->size()) != "little")
        refuse("it was written on a big-endian machine");
  }

  std::map<std::string, StoredTensors, std::less<>> sections() {
    const Pickle pickle(*find("data.pkl"), where_, is_allowed);
    const auto* top = pickle.root().as<Dict>();
    if (top == nullptr) refuse("it holds no state dict");
    std::map<std::string, StoredTensors, std::less<>> sections;
    for (const std::string_view name : {kStateDict, kStateDictEma})
      if (const auto* section = entry(*top, name))
        sections[std::string(name)] = tensors(*section, name);
    if (sections.empty()) sections[std::string(kTopSection)] = tensors(*top, "top");
    return sections;
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw DataError(where_ + ": no weights of torch.save (" + problem + ")");
  }
  [[nodiscard]] const Bytes* find(const std::string& name) const {
    const auto found = members_.find(*root_ + name);
    return found == members_.end() ? nullptr : &found->second;
  }
  static const Dict* entry(const Dict& dict, std::string_view name) {
    for (const auto& [key, value] : dict.items)
      if (const auto* text = key->as<std::string>(); text != nullptr && *text == name)
        return value->as<Dict>();
    return nullptr;
  }

  StoredTensors tensors(const Dict& dict, std::string_view section) {
    StoredTensors found;
    for (const auto& [key, value] : dict.items) {
      const auto* name = key->as<std::string>();
      const auto* arguments = tensor_arguments(*value);
      if (name == nullptr || arguments == nullptr) continue;
      if (!found.emplace(*name, tensor(*name, *arguments)).second)
        refuse("tensor " + *name + " stands twice");
    }
    if (found.empty()) refuse("no tensor in its state dict (" + std::string(section) + ")");
    return found;
  }

  StoredTensor tensor(const std::string& name, const Sequence& arguments) {
    const auto bad = [&](const std::string& what) { refuse("tensor " + name + ": " + what); };
    const auto& items = arguments.items;
    if (items.size() < 4) bad("too few arguments");
    StoredTensor tensor;
    const std::uint64_t elements = take_storage(name, *items[0], tensor);
    const auto whole = [&](const PickleNode& node) {
      const auto* number = node.as<std::int64_t>();
      if (number == nullptr || *number < 0)
        bad("a size, a stride or its offset is no whole number");
      return *number;
    };
    tensor.offset = static_cast<std::uint64_t>(whole(*items[1]));
    const auto* shape = items[2]->as<Sequence>();
    const auto* strides = items[3]->as<Sequence>();
    if (shape == nullptr || strides == nullptr || shape->items.size() != strides->items.size())
      bad("shape and strides do not agree");
    std::uint64_t count = 1;
    std::uint64_t product = 1;  // of the sides that are not 0: what comes after multiplies them
    std::uint64_t last = tensor.offset;
    for (std::size_t i = 0; i < shape->items.size(); ++i) {
      tensor.shape.push_back(whole(*shape->items[i]));
      tensor.strides.push_back(whole(*strides->items[i]));
      const auto side = static_cast<std::uint64_t>(tensor.shape.back());
      std::uint64_t reach = 0;
      if (__builtin_mul_overflow(count, side, &count) ||
          __builtin_mul_overflow(product, std::max<std::uint64_t>(side, 1), &product) ||
          product > kMaxElements)
        bad("its shape overflows");
      if (side == 0) continue;
      if (__builtin_mul_overflow(side - 1, static_cast<std::uint64_t>(tensor.strides.back()),
                                 &reach) ||
          __builtin_add_overflow(last, reach, &last))
        bad("its strides overflow");
    }
    // A tensor larger than its storage repeats elements: no weights are saved so.
    if (count > elements || (count > 0 && last >= elements)) bad("it leaves its storage");
    return tensor;
  }

  // Fills type and storage; returns the storage's elements.
  std::uint64_t take_storage(const std::string& name, const PickleNode& node,
                             StoredTensor& tensor) {
    const auto bad = [&](const std::string& what) { refuse("tensor " + name + ": " + what); };
    const auto* persistent = node.as<Persistent>();
    const auto* id = persistent == nullptr ? nullptr : persistent->id->as<Sequence>();
    if (id == nullptr || id->items.size() < 5) bad("its storage is not told");
    const auto* global = id->items[1]->as<Global>();
    const auto* key = id->items[2]->as<std::string>();
    const auto* count = id->items[4]->as<std::int64_t>();
    if (global == nullptr || key == nullptr || count == nullptr || *count < 0)
      bad("its storage is not told");
    const auto found =
        std::find_if(kStorages.begin(), kStorages.end(),
                     [&](const StorageClass& one) { return one.global == global->name; });
    if (found == kStorages.end()) bad("elements of an unknown type (" + global->name + ")");
    const Bytes* bytes = find("data/" + *key);
    if (bytes == nullptr) bad("its storage is missing");
    tensor.type = found->type;
    const std::uint64_t elements = bytes->size() / bytes_of(found->type);
    if (static_cast<std::uint64_t>(*count) > elements) bad("its storage is cut short");
    tensor.storage = *bytes;
    return static_cast<std::uint64_t>(*count);
  }

  const std::string& where_;
  std::map<std::string, Bytes, std::less<>> members_;
  std::optional<std::string> root_;
};

// Before 1.6, torch.save wrote pickles one after another: the first is this number.
bool is_legacy(Bytes file) {
  static constexpr std::array<unsigned char, 14> kMagic = {
      0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
  return file.size() >= kMagic.size() && std::memcmp(file.data(), kMagic.data(), 14) == 0;
}

}  // namespace

bool StoredTensor::is_contiguous() const {
  std::int64_t wanted = 1;
  for (std::size_t side = shape.size(); side-- > 0;) {
    if (shape[side] != 1 && strides[side] != wanted) return false;
    wanted *= shape[side];
  }
  return true;
}

std::vector<std::byte> StoredTensor::elements() const {
  const std::size_t size = bytes_of(type);
  const auto count = static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
  std::vector<std::byte> out(count * size);
  if (is_contiguous()) {
    if (count > 0) std::memcpy(out.data(), storage.data() + offset * size, out.size());
    return out;
  }
  std::vector<std::int64_t> place(shape.size());
  std::uint64_t at = offset;
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(out.data() + i * size, storage.data() + at * size, size);
    // The next place: the last side runs fastest.
    for (std::size_t side = shape.size(); side-- > 0;) {
      at += static_cast<std::uint64_t>(strides[side]);
      if (++place[side] < shape[side]) break;
      at -= static_cast<std::uint64_t>(strides[side]) * static_cast<std::uint64_t>(shape[side]);
      place[side] = 0;
    }
  }
  return out;
}

std::map<std::string, StoredTensors, std::less<>> read_torch_file(Bytes file,
                                                                  const std::string& where) {
  if (is_legacy(file))
    throw DataError(where +
                    ": a file of PyTorch before 1.6 (load it in Python and torch.save it again)");
  return Reader(file, where).sections();
}

}  // namespace evd::nn
