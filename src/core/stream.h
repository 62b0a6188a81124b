// Devices, and the streams on which their work is queued.
//
// eval() runs the work of the calling thread's default stream on that thread; every other stream, and whatever was
// started by async_eval(), has a thread of its own. Dependencies between streams are waited for by the engine.
// Threads: defaults belong to the calling thread; everything may be called from any thread.
// Source: mlx/device.h, mlx/stream.h, mlx/utils.h (StreamOrDevice).
#pragma once

#include <ostream>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace hearth::core {

struct Device {
  enum class DeviceType { cpu, gpu };
  static constexpr DeviceType cpu = DeviceType::cpu;
  static constexpr DeviceType gpu = DeviceType::gpu;

  constexpr Device(DeviceType type, int index = 0) : type(type), index(index) {}  // NOLINT: as in MLX

  bool operator==(const Device&) const = default;
  bool operator<(const Device& other) const { return std::tie(type, index) < std::tie(other.type, other.index); }

  DeviceType type;
  int index;
};

inline bool operator==(const Device& device, Device::DeviceType type) { return device.type == type; }

const Device& default_device();
// Throws std::invalid_argument when this build has no such device.
void set_default_device(const Device& device);
bool is_available(const Device& device);
int device_count(Device::DeviceType type);
// "device_name", "architecture" (the instruction set in use), "memory_size" (bytes).
const std::unordered_map<std::string, std::variant<std::string, size_t>>& device_info(
    const Device& device = default_device());

struct Stream {
  constexpr Stream(int index, Device device) : index(index), device(device) {}

  bool operator==(const Stream&) const = default;
  bool operator<(const Stream& other) const { return std::tie(device, index) < std::tie(other.device, other.index); }

  int index;
  Device device;
};

Stream default_stream(Device device);
void set_default_stream(Stream stream);
Stream new_stream(Device device);
std::vector<Stream> get_streams();

// Returns when all work queued on the stream is done. Throws what a piece of that work threw.
void synchronize();
void synchronize(Stream stream);

// The last argument of every operation: nothing (the default stream), a stream, or a device (its default stream).
using StreamOrDevice = std::variant<std::monostate, Stream, Device, Device::DeviceType>;
Stream to_stream(const StreamOrDevice& s);

// Makes a stream or device the default until the end of the scope. Belongs to the thread that made it.
class StreamContext {
 public:
  explicit StreamContext(StreamOrDevice s);
  ~StreamContext();
  StreamContext(const StreamContext&) = delete;
  StreamContext& operator=(const StreamContext&) = delete;

 private:
  Device device_;
  Stream stream_;
};

std::ostream& operator<<(std::ostream& os, const Device& device);
std::ostream& operator<<(std::ostream& os, const Stream& stream);

}  // namespace hearth::core
