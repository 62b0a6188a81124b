// eval() walks the graph from the outputs with an explicit stack, writes the unevaluated nodes down in order (the tape)
// and runs it: on the calling thread when everything belongs to its default stream, which is the usual case and costs
// no synchronisation; otherwise each stream's part goes to that stream's thread and nodes wait for one another through
// their status word.
#include "core/eval.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "core/observe.h"
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

bool is(const Node* node, Status status) {
  return node->status.load(std::memory_order_acquire) == static_cast<int32_t>(status);
}

// Errors are read by other streams while somebody computes the node again.
std::mutex error_mutex;

void set_error(Node* node, const std::exception_ptr& error) {
  std::lock_guard lock(error_mutex);
  node->error = error;
}

[[noreturn]] void throw_error(Node* node) {
  std::exception_ptr error;
  {
    std::lock_guard lock(error_mutex);
    error = node->error;
  }
  if (!error) throw std::logic_error("[eval] Nobody computes an input that somebody waits for.");
  std::rethrow_exception(error);
}

// After the new status is stored the node may be gone; notifying looks at its address only.
void publish(Node* node, Status status) {
  node->status.store(static_cast<int32_t>(status), std::memory_order_release);
  node->status.notify_all();
}

// A recipe again: another evaluation may compute it. Whoever waits for it gets the error.
void give_up(Node* node, const std::exception_ptr& error) {
  set_error(node, error);
  publish(node, Status::unscheduled);
}

void append_graph(Node* root, std::vector<Visit>& stack, Tape& tape) {
  // Whatever is marked stands in the stack or the tape, also when one of them cannot grow.
  const auto visit = [&stack](Node* node) {
    if (!is(node, Status::unscheduled) && !is(node, Status::failed)) return;
    stack.push_back({node, 0});
    node->status.store(static_cast<int32_t>(Status::scheduled), std::memory_order_relaxed);
  };
  visit(root);
  while (!stack.empty()) {
    Visit& top = stack.back();
    if (top.next == top.node->inputs.size()) {
      tape.push_back(top.node);
      stack.pop_back();
      continue;
    }
    visit(top.node->inputs[top.next++].node());
  }
}

void append_graphs(const std::vector<array>& outputs, std::vector<Visit>& stack, Tape& tape) {
  try {
    for (const array& out : outputs) append_graph(out.node(), stack, tape);
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    for (const Visit& visit : stack) give_up(visit.node, error);
    for (Node* node : tape) give_up(node, error);
    throw;
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

// Lets go of what a failed computation has left, so that the next begins afresh.
void forget_memory(Node* node) {
  node->storage.reset();
  node->offset = 0;
  node->lay_out();
}

void run(Primitive& primitive, Arrays inputs, MutableArrays outputs) {
  primitive.eval_cpu(inputs, outputs);
  if (Observation::current) Observation::current->tell(primitive, outputs);
}

void run_primitive(Node* node) {
  const Arrays inputs(node->inputs.data(), node->inputs.size());
  struct Nesting {
    Nesting() { ++computing; }
    ~Nesting() { --computing; }
  } nesting;
  try {
    if (node->group_outputs) return run(*node->primitive, inputs, *node->group_outputs);
    Borrowed out(node);
    run(*node->primitive, inputs, MutableArrays(&out.get(), 1));
  } catch (...) {
    forget_memory(node);
    if (node->group_outputs) {
      for (array& out : *node->group_outputs) forget_memory(out.node());
    }
    throw;
  }
}

void wait_for(Node* node) {
  for (;;) {
    const int32_t now = node->status.load(std::memory_order_acquire);
    if (now == static_cast<int32_t>(Status::available)) return;
    if (now != static_cast<int32_t>(Status::scheduled)) throw_error(node);
    node->status.wait(now, std::memory_order_acquire);
  }
}

// Waits for those of the outputs that have one of these states, then throws what the first that failed threw. Once an
// error has been heard of here, the output may be evaluated again.
void wait_for_all(const std::vector<array>& outputs, std::initializer_list<Status> states) {
  std::exception_ptr first;
  for (const array& out : outputs) {
    Node* node = out.node();
    if (std::find(states.begin(), states.end(), node->state()) == states.end()) continue;
    try {
      wait_for(node);
    } catch (...) {
      if (!first) first = std::current_exception();
      if (is(node, Status::failed)) publish(node, Status::unscheduled);
    }
  }
  if (first) std::rethrow_exception(first);
}

void run_here(const Tape& tape) {
  size_t done = 0;
  try {
    for (; done < tape.size(); ++done) {
      for (array& input : tape[done]->inputs) {
        if (!input.is_available()) wait_for(input.node());
      }
      compute(tape[done]);
    }
  } catch (...) {  // the nodes before may be gone; these are needed by the outputs
    const std::exception_ptr error = std::current_exception();
    for (; done < tape.size(); ++done) give_up(tape[done], error);
    throw;
  }
}

void run_on_streams(const Tape& tape, const std::vector<array>& outputs, Stream home, bool home_waits) {
  Tape here;
  try {
    const auto kept = std::make_shared<const std::vector<array>>(outputs);
    std::vector<std::pair<Stream, StreamTask>> tasks;
    for (Node* node : tape) {
      const Stream stream(static_cast<int>(node->stream), Device::cpu);
      if (home_waits && stream == home) {
        here.push_back(node);
        continue;
      }
      auto task = std::find_if(tasks.begin(), tasks.end(), [&](auto& t) { return t.first == stream; });
      if (task == tasks.end()) task = tasks.insert(tasks.end(), {stream, StreamTask{{}, kept}});
      task->second.nodes.push_back(node);
    }
    enqueue(std::move(tasks));
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    for (Node* node : tape) give_up(node, error);
    throw;
  }
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
      const std::exception_ptr error = std::current_exception();
      if (!first) first = error;
      set_error(node, error);
      publish(node, Status::failed);
    }
  }
  return first;
}

void eval(std::vector<array> outputs) {
  wait_for_all(outputs, {Status::failed});  // errors of async_eval() that nobody has heard of
  Lent scratch;
  append_graphs(outputs, scratch->stack, scratch->tape);
  if (!scratch->tape.empty()) {
    const Stream home = default_stream(Device::cpu);
    if (all_on(scratch->tape, home)) {
      run_here(scratch->tape);
    } else {
      run_on_streams(scratch->tape, outputs, home, true);
    }
  }
  wait_for_all(outputs, {Status::unscheduled, Status::scheduled, Status::failed});
}

void async_eval(std::vector<array> outputs) {
  Lent scratch;
  append_graphs(outputs, scratch->stack, scratch->tape);
  if (!scratch->tape.empty()) run_on_streams(scratch->tape, outputs, default_stream(Device::cpu), false);
}

bool array::is_available() const { return node_->state() == Status::available; }

void array::wait() { wait_for_all({*this}, {Status::scheduled, Status::failed}); }

void* array::raw_data() const {
  // An output of the operation that is running has memory before it is available.
  if (!is_available() && !(computing > 0 && node_->storage)) core::eval(std::vector<array>{*this});
  return static_cast<std::byte*>(node_->storage->data()) + node_->offset;
}

}  // namespace hearth::core
