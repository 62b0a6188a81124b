// eval() walks the graph from the outputs with an explicit stack, writes the unevaluated nodes down in order (the tape)
// and runs it: on the calling thread when everything belongs to its default stream, which is the usual case and costs
// no synchronisation; otherwise each stream's part goes to that stream's thread and nodes wait for one another through
// their status word.
#include "core/eval.h"

#include <algorithm>
#include <utility>

#include "core/primitive.h"
#include "core/tape.h"

namespace hearth::core {

namespace {

thread_local int computing = 0;  // nesting of eval_cpu on this thread

// A handle to a node that somebody else keeps alive.
class Borrowed {
 public:
  explicit Borrowed(Node* node) : array_(node) { node->uses.fetch_add(1, std::memory_order_relaxed); }
  array& get() { return array_; }

 private:
  array array_;
};

struct Visit {
  Node* node;
  size_t next;  // input to look at
};

bool schedule(Node* node) {
  if (node->status.load(std::memory_order_relaxed) != static_cast<int32_t>(Status::unscheduled)) return false;
  node->status.store(static_cast<int32_t>(Status::scheduled), std::memory_order_relaxed);
  return true;
}

void unschedule(const Tape& tape) {
  for (Node* node : tape) {
    if (node->status.load(std::memory_order_relaxed) == static_cast<int32_t>(Status::scheduled)) {
      node->status.store(static_cast<int32_t>(Status::unscheduled), std::memory_order_relaxed);
    }
  }
}

void append_graph(Node* root, std::vector<Visit>& stack, Tape& tape) {
  if (!schedule(root)) return;
  stack.push_back({root, 0});
  while (!stack.empty()) {
    Visit& top = stack.back();
    if (top.next == top.node->inputs.size()) {
      tape.push_back(top.node);
      stack.pop_back();
      continue;
    }
    Node* input = top.node->inputs[top.next++].node();
    if (schedule(input)) stack.push_back({input, 0});
  }
}

// Lends the vectors that tapes are written in, so that small graphs allocate none. Nested evaluations get their own.
struct Scratch {
  std::vector<Visit> stack;
  Tape tape;
};
thread_local std::unique_ptr<Scratch> spare;

class Lent {
 public:
  Lent() : scratch_(spare ? std::move(spare) : std::make_unique<Scratch>()) {}
  ~Lent() {
    scratch_->tape.clear();
    scratch_->stack.clear();
    if (scratch_->tape.capacity() <= kKept) spare = std::move(scratch_);
  }
  Scratch* operator->() { return scratch_.get(); }

 private:
  static constexpr size_t kKept = 1 << 16;
  std::unique_ptr<Scratch> scratch_;
};

void take_from_group(Node* node) {
  array& made = (*node->inputs[0].node()->group_outputs)[node->position];
  Node* from = made.node();
  node->storage = std::move(from->storage);
  node->strides = std::move(from->strides);
  node->data_size = from->data_size;
  node->offset = from->offset;
  node->flags = from->flags;
}

void run_primitive(Node* node) {
  const Arrays inputs(node->inputs.data(), node->inputs.size());
  struct Nesting {
    Nesting() { ++computing; }
    ~Nesting() { --computing; }
  } nesting;
  if (node->group_outputs) return node->primitive->eval_cpu(inputs, *node->group_outputs);
  Borrowed out(node);
  node->primitive->eval_cpu(inputs, MutableArrays(&out.get(), 1));
}

void wait_for(Node* node) {
  for (;;) {
    const int32_t now = node->status.load(std::memory_order_acquire);
    if (now == static_cast<int32_t>(Status::failed)) std::rethrow_exception(node->error);
    if (now == static_cast<int32_t>(Status::available)) return;
    node->status.wait(now, std::memory_order_acquire);
  }
}

// After the new status is stored the node may be gone; notifying looks at its address only.
void publish(Node* node, Status status) {
  node->status.store(static_cast<int32_t>(status), std::memory_order_release);
  node->status.notify_all();
}

void run_here(const Tape& tape) {
  try {
    for (Node* node : tape) {
      for (array& input : node->inputs) {
        if (!input.is_available()) wait_for(input.node());
      }
      compute(node);
    }
  } catch (...) {
    unschedule(tape);
    throw;
  }
}

void run_on_streams(const Tape& tape, const std::vector<array>& outputs, Stream home, bool home_waits) {
  const auto kept = std::make_shared<const std::vector<array>>(outputs);
  std::vector<std::pair<Stream, StreamTask>> tasks;
  Tape here;
  for (Node* node : tape) {
    const Stream stream = node->primitive ? node->primitive->stream() : node->inputs[0].primitive().stream();
    if (home_waits && stream == home) {
      here.push_back(node);
      continue;
    }
    auto task = std::find_if(tasks.begin(), tasks.end(), [&](auto& t) { return t.first == stream; });
    if (task == tasks.end()) task = tasks.insert(tasks.end(), {stream, StreamTask{{}, kept}});
    task->second.nodes.push_back(node);
  }
  enqueue(std::move(tasks));
  compute_all(here);
}

bool all_on(const Tape& tape, Stream home) {
  return std::all_of(tape.begin(), tape.end(),
                     [&](const Node* node) { return node->stream == static_cast<uint32_t>(home.index); });
}

}  // namespace

void compute(Node* node) {
  if (node->from_group) {
    take_from_group(node);
  } else {
    run_primitive(node);
  }
  node->primitive.reset();
  node->inputs.clear();
  node->from_group = false;
  publish(node, Status::available);
}

std::exception_ptr compute_all(const Tape& nodes) {
  std::exception_ptr first;
  for (Node* node : nodes) {
    try {
      for (array& input : node->inputs) wait_for(input.node());
      compute(node);
    } catch (...) {
      node->error = std::current_exception();
      if (!first) first = node->error;
      publish(node, Status::failed);
    }
  }
  return first;
}

void eval(std::vector<array> outputs) {
  Lent scratch;
  for (array& out : outputs) append_graph(out.node(), scratch->stack, scratch->tape);
  if (!scratch->tape.empty()) {
    const Stream home = default_stream(Device::cpu);
    if (all_on(scratch->tape, home)) {
      run_here(scratch->tape);
    } else {
      run_on_streams(scratch->tape, outputs, home, true);
    }
  }
  for (array& out : outputs) {
    if (!out.is_available()) wait_for(out.node());
  }
}

void async_eval(std::vector<array> outputs) {
  Lent scratch;
  for (array& out : outputs) append_graph(out.node(), scratch->stack, scratch->tape);
  if (!scratch->tape.empty()) run_on_streams(scratch->tape, outputs, default_stream(Device::cpu), false);
}

bool array::is_available() const { return node_->state() == Status::available; }

void array::wait() {
  if (node_->state() != Status::unscheduled) wait_for(node_);
}

void* array::raw_data() const {
  // An output of the operation that is running has memory before it is available.
  if (!is_available() && !(computing > 0 && node_->storage)) core::eval(std::vector<array>{*this});
  return static_cast<std::byte*>(node_->storage->data()) + node_->offset;
}

}  // namespace hearth::core
