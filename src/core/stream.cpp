// Streams are numbers; a stream gets a thread with a queue when work is first queued on it. Threads end with the
// process, after what is queued. The calling thread's defaults are thread-local.
#include "core/stream.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "core/cpu/isa.h"
#include "core/tape.h"

namespace hearth::core {

namespace {

thread_local Device device_of_thread = Device::cpu;
thread_local std::optional<Stream> stream_of_thread;

class Worker {
 public:
  Worker() : thread_([this] { work(); }) {}
  ~Worker() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
  }

  // Moves the task out of a list of one: nothing here can fail.
  void push(std::list<StreamTask>& task) {
    {
      std::lock_guard lock(mutex_);
      queue_.splice(queue_.end(), task);
      ++unfinished_;
    }
    changed_.notify_all();
  }

  void drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return unfinished_ == 0; });
    if (const auto error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      StreamTask task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      std::exception_ptr error = compute_all(task.nodes);
      task = {};
      lock.lock();
      if (!error_) error_ = error;
      if (--unfinished_ == 0) changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<StreamTask> queue_;
  size_t unfinished_ = 0;
  std::exception_ptr error_;
  bool stopping_ = false;
  std::jthread thread_;
};

struct Streams {
  std::mutex mutex;
  int count = 1;  // stream 0 is every thread's default
  std::map<int, Worker> workers;

  static Streams& get() {
    static Streams streams;
    return streams;
  }
};

Stream checked(Stream stream, const char* function) {
  Streams& all = Streams::get();
  std::lock_guard lock(all.mutex);
  if (stream.device != Device::cpu || stream.index < 0 || stream.index >= all.count) {
    throw std::invalid_argument(std::string("[") + function + "] There is no such stream.");
  }
  return stream;
}

void require_device(const Device& device, const char* function) {
  if (!is_available(device)) {
    throw std::invalid_argument(std::string("[") + function + "] This build computes on the CPU only.");
  }
}

std::string cpu_name() {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/cpuinfo", "r"), &std::fclose);
  char line[512];
  while (file && std::fgets(line, sizeof(line), file.get())) {
    std::string_view text(line);
    if (!text.starts_with("model name")) continue;
    const size_t from = text.find(':');
    if (from == text.npos) break;
    text.remove_prefix(std::min(from + 2, text.size()));
    return std::string(text.substr(0, text.find('\n')));
  }
  return "CPU";
}

}  // namespace

const Device& default_device() { return device_of_thread; }

void set_default_device(const Device& device) {
  require_device(device, "set_default_device");
  device_of_thread = device;
}

bool is_available(const Device& device) { return device == Device::cpu && device.index == 0; }
int device_count(Device::DeviceType type) { return type == Device::cpu ? 1 : 0; }

const std::unordered_map<std::string, std::variant<std::string, size_t>>& device_info(const Device& device) {
  require_device(device, "device_info");
  static const std::unordered_map<std::string, std::variant<std::string, size_t>> info = {
      {"device_name", cpu_name()},
      {"architecture", std::string(cpu::isa_name(cpu::active_isa()))},
      {"memory_size", static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGE_SIZE))},
  };
  return info;
}

Stream default_stream(Device device) {
  if (device == Device::cpu) return stream_of_thread.value_or(Stream(0, Device::cpu));
  require_device(device, "default_stream");
  return Stream(0, device);
}

void set_default_stream(Stream stream) { stream_of_thread = checked(stream, "set_default_stream"); }

Stream new_stream(Device device) {
  require_device(device, "new_stream");
  Streams& all = Streams::get();
  std::lock_guard lock(all.mutex);
  return Stream(all.count++, device);
}

std::vector<Stream> get_streams() {
  Streams& all = Streams::get();
  std::lock_guard lock(all.mutex);
  std::vector<Stream> streams;
  for (int i = 0; i < all.count; ++i) streams.emplace_back(i, Device::cpu);
  return streams;
}

void synchronize() { synchronize(default_stream(default_device())); }

void synchronize(Stream stream) {
  checked(stream, "synchronize");
  Streams& all = Streams::get();
  Worker* worker = nullptr;
  {
    std::lock_guard lock(all.mutex);
    if (auto it = all.workers.find(stream.index); it != all.workers.end()) worker = &it->second;
  }
  if (worker) worker->drain();
}

void enqueue(std::vector<std::pair<Stream, StreamTask>> tasks) {
  Streams& all = Streams::get();
  std::lock_guard lock(all.mutex);
  std::vector<std::pair<Worker*, std::list<StreamTask>>> prepared;  // all or none
  for (auto& [stream, task] : tasks) {
    auto& place = prepared.emplace_back(&all.workers[stream.index], std::list<StreamTask>(1));
    place.second.front() = std::move(task);
  }
  for (auto& [worker, task] : prepared) worker->push(task);
}

Stream to_stream(const StreamOrDevice& s) {
  if (const auto* stream = std::get_if<Stream>(&s)) return *stream;
  if (const auto* device = std::get_if<Device>(&s)) return default_stream(*device);
  if (const auto* type = std::get_if<Device::DeviceType>(&s)) return default_stream(Device(*type));
  return default_stream(default_device());
}

StreamContext::StreamContext(StreamOrDevice s) : device_(default_device()), stream_(default_stream(device_)) {
  if (std::holds_alternative<std::monostate>(s)) {
    throw std::invalid_argument("[StreamContext] Please specify a stream or device.");
  }
  const Stream stream = to_stream(s);
  set_default_device(stream.device);
  set_default_stream(stream);
}

StreamContext::~StreamContext() {
  device_of_thread = device_;
  stream_of_thread = stream_;
}

std::ostream& operator<<(std::ostream& os, const Device& device) {
  return os << "Device(" << (device.type == Device::cpu ? "cpu" : "gpu") << ", " << device.index << ")";
}

std::ostream& operator<<(std::ostream& os, const Stream& stream) {
  return os << "Stream(" << stream.device << ", " << stream.index << ")";
}

}  // namespace hearth::core
