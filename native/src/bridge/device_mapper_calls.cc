// dmIoctl.
#include <napi.h>

#include <cstdint>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/device_mapper.hh"

namespace layer_store {

namespace {

uint32_t readCommand(const Arguments& args, size_t index) {
  const uint32_t command = args.uint32(index);
  if (isDmCommand(command)) return command;
  throw makeArgumentError(args.env(), "ERR_INVALID_ARG_VALUE",
                          "dmIoctl: argument 2 must be a device-mapper request, 0xc138fd00 and up");
}

std::string readRequest(const Arguments& args, size_t index) {
  std::string request = args.bytes(index);
  if (request.size() >= kDmHeaderSize && request.size() <= UINT32_MAX) return request;
  throw makeArgumentError(args.env(), "ERR_INVALID_ARG_VALUE",
                          "dmIoctl: argument 3 must be at least the " + std::to_string(kDmHeaderSize) +
                              " bytes of struct dm_ioctl");
}

}  // namespace

void RegisterDeviceMapper(Napi::Env, Napi::Object exports) {
  defineTwins(
      exports, "dmIoctl",
      [](const Arguments& args) {
        return [fd = args.descriptor(0), command = readCommand(args, 1), request = readRequest(args, 2)] {
          return dmIoctl(fd, command, request);
        };
      },
      RunsOn::ownThread);
}

}  // namespace layer_store
