#include "nn/pickle.hpp"

#include <bit>
#include <optional>
#include <unordered_map>

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::nn {
namespace {

using Dict = PickleNode::Dict;
using Sequence = PickleNode::Sequence;

// Python's pickle machine without its calls. Operations: CPython, Lib/pickletools.py.
class Machine {
 public:
  Machine(Bytes bytes, const std::string& where, std::deque<PickleNode>& nodes,
          bool (*is_allowed)(const std::string&))
      : bytes_(bytes), where_(where), nodes_(nodes), is_allowed_(is_allowed) {}

  const PickleNode* run() {
    while (!is_over_) step(take(1));
    return pop();
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw DataError(where_ + ": not a readable pickle (" + problem + ")");
  }

  // --- bytes ---
  Bytes raw(std::uint64_t count) {
    if (count > bytes_.size() - at_) refuse("it is cut short");
    const Bytes taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }
  std::uint64_t take(std::size_t count) {
    const Bytes taken = raw(count);
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;)
      value = value << 8 | std::to_integer<std::uint64_t>(taken[i]);
    return value;
  }
  std::string text(std::uint64_t count) {
    const Bytes taken = raw(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  std::string line() {
    std::string taken;
    for (char c = 0; (c = static_cast<char>(take(1))) != '\n';) taken += c;
    return taken;
  }

  // --- stack ---
  template <class T>
  void push(T value) {
    stack_.push_back(&nodes_.emplace_back(PickleNode{std::move(value)}));
  }
  const PickleNode* pop() {
    if (stack_.empty() || stack_.back() == nullptr) refuse("it takes what is not there");
    const PickleNode* top = stack_.back();
    stack_.pop_back();
    return top;
  }
  // What lies above the newest mark (a null pointer), which goes too.
  std::vector<const PickleNode*> pop_to_mark() {
    std::size_t mark = stack_.size();
    while (mark > 0 && stack_[mark - 1] != nullptr) --mark;
    if (mark == 0) refuse("a mark is missing");
    std::vector<const PickleNode*> items(stack_.begin() + static_cast<std::ptrdiff_t>(mark),
                                         stack_.end());
    stack_.resize(mark - 1);
    return items;
  }
  void push_last(std::size_t count) {
    std::vector<const PickleNode*> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push(Sequence{std::move(items)});
  }
  // The container on top: a call of OrderedDict() is one too.
  template <class T>
  T& top() {
    if (stack_.empty() || stack_.back() == nullptr) refuse("it takes what is not there");
    auto& node = const_cast<PickleNode&>(*stack_.back());  // all nodes are ours, none is const
    if (auto* container = std::get_if<T>(&node.value)) return *container;
    refuse("an item goes into what is no container");
  }

  // --- operations ---
  void put(std::uint64_t place) {
    if (stack_.empty() || stack_.back() == nullptr) refuse("it keeps what is not there");
    memo_[place] = stack_.back();
  }
  void get(std::uint64_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) refuse("it refers to what was not kept");
    stack_.push_back(found->second);
  }
  void global(const std::string& module, const std::string& name) {
    const std::string full = module + " " + name;
    if (!is_allowed_(full))
      throw DataError(where_ + ": its pickle names " + printable(full) +
                      ", which no file of weights needs (it could run code when Python loads it; "
                      "nothing was run)");
    push(PickleNode::Global{full});
  }
  void call() {
    const PickleNode* arguments = pop();
    const PickleNode* function = pop();
    const auto* named = function->as<PickleNode::Global>();
    const auto* given = arguments->as<Sequence>();
    if (named == nullptr || given == nullptr) refuse("a call of what cannot be called");
    // Empty when it is made; its items follow.
    if (named->name == "collections OrderedDict" && given->items.empty()) return push(Dict{});
    push(PickleNode::Call{function, arguments});
  }
  void set_items(const std::vector<const PickleNode*>& items) {
    if (items.size() % 2 != 0) refuse("a key has no value");
    auto& dict = top<Dict>();
    for (std::size_t i = 0; i < items.size(); i += 2)
      dict.items.emplace_back(items[i], items[i + 1]);
  }
  void append(const std::vector<const PickleNode*>& items) {
    auto& sequence = top<Sequence>();
    sequence.items.insert(sequence.items.end(), items.begin(), items.end());
  }
  // Two's complement of any length; what does not fit 64 bits is of no use here.
  void long_number(std::uint64_t count) {
    if (count > 8) {
      raw(count);
      return push(PickleNode::None{});
    }
    std::uint64_t value = take(count);
    if (count > 0 && count < 8 && (value >> (8 * count - 1) & 1) != 0)
      value |= ~std::uint64_t{0} << (8 * count);
    push(std::bit_cast<std::int64_t>(value));
  }
  void real() {
    std::uint64_t value = 0;
    for (const std::byte b : raw(8)) value = value << 8 | std::to_integer<std::uint64_t>(b);
    push(std::bit_cast<double>(value));
  }

  void step(std::uint64_t operation) {
    switch (operation) {
      case 0x80:  // PROTO
        if (const auto protocol = take(1); protocol < 2 || protocol > 5)
          refuse("protocol " + std::to_string(protocol));
        return;
      case 0x95:  // FRAME
        raw(8);
        return;
      case '.':
        is_over_ = true;
        return;
      case '(':
        stack_.push_back(nullptr);
        return;
      case '0':
        static_cast<void>(pop());
        return;
      case 'N':
        return push(PickleNode::None{});
      case 0x88:
        return push(true);
      case 0x89:
        return push(false);
      case 'K':
        return push(static_cast<std::int64_t>(take(1)));
      case 'M':
        return push(static_cast<std::int64_t>(take(2)));
      case 'J':
        return push(std::int64_t{static_cast<std::int32_t>(take(4))});
      case 0x8a:  // LONG1
        return long_number(take(1));
      case 'G':
        return real();
      case 'X':
      case 'T':
      case 'B':
        return push(text(take(4)));
      case 0x8c:  // SHORT_BINUNICODE
      case 'U':
      case 'C':
        return push(text(take(1)));
      case 0x8d:  // BINUNICODE8
      case 0x8e:  // BINBYTES8
        return push(text(take(8)));
      case 'c': {
        const std::string module = line();
        return global(module, line());
      }
      case 0x93: {  // STACK_GLOBAL
        const auto* name = pop()->as<std::string>();
        const auto* module = pop()->as<std::string>();
        if (name == nullptr || module == nullptr) refuse("a global has no name");
        return global(*module, *name);
      }
      case 'R':
      case 0x81:  // NEWOBJ
        return call();
      case 'b':  // BUILD: the attributes of an object, which is of no interest
        static_cast<void>(pop());
        if (stack_.empty()) refuse("it takes what is not there");
        return;
      case 'Q':
        return push(PickleNode::Persistent{pop()});
      case 'q':
        return put(take(1));
      case 'r':
        return put(take(4));
      case 0x94:  // MEMOIZE
        return put(memo_.size());
      case 'h':
        return get(take(1));
      case 'j':
        return get(take(4));
      case 't':
        return push(Sequence{pop_to_mark()});
      case ')':
      case ']':
        return push(Sequence{});
      case 0x85:
      case 0x86:
      case 0x87:
        return push_last(operation - 0x84);
      case '}':
        return push(Dict{});
      case 'a':
        return append({pop()});
      case 'e':
        return append(pop_to_mark());
      case 's': {
        const PickleNode* value = pop();
        const PickleNode* key = pop();
        return set_items({key, value});
      }
      case 'u':
        return set_items(pop_to_mark());
      default:
        refuse("operation " + std::to_string(operation) + " at byte " + std::to_string(at_ - 1));
    }
  }

  Bytes bytes_;
  const std::string& where_;
  std::deque<PickleNode>& nodes_;
  bool (*is_allowed_)(const std::string&);
  std::size_t at_ = 0;
  bool is_over_ = false;
  std::vector<const PickleNode*> stack_;
  std::unordered_map<std::uint64_t, const PickleNode*> memo_;
};

}  // namespace

Pickle::Pickle(Bytes bytes, const std::string& where, bool (*is_allowed)(const std::string&)) {
  root_ = Machine(bytes, where, nodes_, is_allowed).run();
}

}  // namespace evd::nn
