#include "core/quota.hh"

#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <sys/quota.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/ioctl.hh"
#include "core/kernel.hh"
#include "core/sys_error.hh"

#ifndef PRJQUOTA
#define PRJQUOTA 2
#endif

namespace layer_store::quota {

namespace {

/** More than the largest structure that any quotactl command writes. */
constexpr size_t kRoom = 4096;
constexpr uint64_t kBasicBlock = 512;

constexpr uint32_t projectCommand(uint32_t command) { return static_cast<uint32_t>(QCMD(command, PRJQUOTA)); }

/** `call` gets a buffer that no command outgrows; what it was given room for comes back. */
template <typename Call>
std::string withRoom(std::string data, const Call& call) {
  const size_t size = data.size();
  data.resize(std::max(size, kRoom));
  call(data.data());
  data.resize(size);
  return data;
}

template <typename Structure>
Structure exchange(const FileSystem& where, uint32_t command, uint32_t id, Structure data) {
  const std::string sent(reinterpret_cast<const char*>(&data), sizeof data);
  const std::string received = control(where, projectCommand(command), id, sent);
  std::memcpy(&data, received.data(), sizeof data);
  return data;
}

uint64_t basicBlocks(uint64_t bytes) { return bytes / kBasicBlock + (bytes % kBasicBlock == 0 ? 0 : 1); }

}  // namespace

FileAttributes fileAttributes(int fd) {
  struct fsxattr attributes = {};
  checkedIoctl(fd, FS_IOC_FSGETXATTR, "FS_IOC_FSGETXATTR", &attributes);
  return {attributes.fsx_xflags, attributes.fsx_extsize, attributes.fsx_nextents, attributes.fsx_projid,
          attributes.fsx_cowextsize};
}

void setFileAttributes(int fd, const FileAttributes& wanted) {
  struct fsxattr attributes = {};
  attributes.fsx_xflags = wanted.xflags;
  attributes.fsx_extsize = wanted.extentSize;
  attributes.fsx_projid = wanted.projectId;
  attributes.fsx_cowextsize = wanted.cowExtentSize;
  checkedIoctl(fd, FS_IOC_FSSETXATTR, "FS_IOC_FSSETXATTR", &attributes);
}

std::string controlByDescriptor(int fd, uint32_t command, uint32_t id, std::string data) {
  return withRoom(std::move(data), [&](char* buffer) {
    if (::syscall(SYS_quotactl_fd, fd, command, id, buffer) == -1) throw SysError(errno, "quotactl_fd");
  });
}

std::string controlByDevice(const std::string& device, uint32_t command, uint32_t id, std::string data) {
  return withRoom(std::move(data), [&](char* buffer) {
    if (::syscall(SYS_quotactl, command, device.c_str(), id, buffer) == -1) throw SysError(errno, "quotactl", device);
  });
}

std::string control(const FileSystem& where, uint32_t command, uint32_t id, std::string data) {
  if (hasQuotactlFd() || !where.device) return controlByDescriptor(where.fd, command, id, std::move(data));
  return controlByDevice(*where.device, command, id, std::move(data));
}

uint32_t stateFlags(const FileSystem& where) {
  return exchange(where, Q_XGETQSTAT, 0, fs_quota_stat{}).qs_flags;
}

std::optional<ProjectQuota> projectQuota(const FileSystem& where, uint32_t project) {
  try {
    const fs_disk_quota quota = exchange(where, Q_XGETQUOTA, project, fs_disk_quota{});
    return ProjectQuota{quota.d_blk_hardlimit * kBasicBlock,
                        quota.d_blk_softlimit * kBasicBlock,
                        quota.d_ino_hardlimit,
                        quota.d_ino_softlimit,
                        quota.d_bcount * kBasicBlock,
                        quota.d_icount};
  } catch (const SysError& error) {
    // Of a device node the same number may say that there is none.
    const bool missingDevice = !error.path().empty() && ::access(error.path().c_str(), F_OK) == -1;
    if (error.error() == ENOENT && !missingDevice) return std::nullopt;
    throw;
  }
}

void setProjectLimits(const FileSystem& where, uint32_t project, const ProjectLimits& limits) {
  fs_disk_quota quota = {};
  quota.d_version = FS_DQUOT_VERSION;
  quota.d_flags = FS_PROJ_QUOTA;
  quota.d_id = project;
  if (limits.spaceHard) {
    quota.d_fieldmask |= FS_DQ_BHARD;
    quota.d_blk_hardlimit = basicBlocks(*limits.spaceHard);
  }
  if (limits.spaceSoft) {
    quota.d_fieldmask |= FS_DQ_BSOFT;
    quota.d_blk_softlimit = basicBlocks(*limits.spaceSoft);
  }
  if (limits.inodesHard) {
    quota.d_fieldmask |= FS_DQ_IHARD;
    quota.d_ino_hardlimit = *limits.inodesHard;
  }
  if (limits.inodesSoft) {
    quota.d_fieldmask |= FS_DQ_ISOFT;
    quota.d_ino_softlimit = *limits.inodesSoft;
  }
  exchange(where, Q_XSETQLIM, project, quota);
}

bool hasQuotactlFd() {
  static const bool present = ::syscall(SYS_quotactl_fd, -1, 0, 0, nullptr) == 0 || errno != ENOSYS;
  return present;
}

}  // namespace layer_store::quota
