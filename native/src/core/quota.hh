// Project quota: the project a file belongs to, and the limits of a project. All throw SysError.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace layer_store::quota {

/** `struct fsxattr` (linux/fs.h). */
struct FileAttributes {
  /** FS_XFLAG_PROJINHERIT 0x200 and others. */
  uint32_t xflags = 0;
  uint32_t extentSize = 0;
  /** Only read. */
  uint32_t extents = 0;
  uint32_t projectId = 0;
  uint32_t cowExtentSize = 0;
};

/** FS_IOC_FSGETXATTR. ENOTTY, EOPNOTSUPP: the file system has no projects. */
FileAttributes fileAttributes(int fd);
void setFileAttributes(int fd, const FileAttributes& attributes);

/** A file system, by any descriptor on it and, for kernels before 5.14, by its device node. */
struct FileSystem {
  int fd;
  std::optional<std::string> device;
};

/**
 * quotactl_fd(2), or quotactl(2) on the device node where the kernel has only that. ENOSYS: neither is possible. `data` is what the
 * command reads and writes, in a copy with room for any structure of quotactl, so that no command writes past it.
 */
std::string control(const FileSystem& where, uint32_t command, uint32_t id, std::string data);
std::string controlByDescriptor(int fd, uint32_t command, uint32_t id, std::string data);
std::string controlByDevice(const std::string& device, uint32_t command, uint32_t id, std::string data);

/** Space in bytes; a limit of 0 is none. */
struct ProjectQuota {
  uint64_t spaceHard;
  uint64_t spaceSoft;
  uint64_t inodesHard;
  uint64_t inodesSoft;
  uint64_t space;
  uint64_t inodes;
};

/** Those that are set are written; space is rounded up to the kernel's 512 bytes. */
struct ProjectLimits {
  std::optional<uint64_t> spaceHard;
  std::optional<uint64_t> spaceSoft;
  std::optional<uint64_t> inodesHard;
  std::optional<uint64_t> inodesSoft;
};

/** Q_XGETQSTAT: FS_QUOTA_PDQ_ACCT 0x10, FS_QUOTA_PDQ_ENFD 0x20 and those of users and groups. */
uint32_t stateFlags(const FileSystem& where);
/** Q_XGETQUOTA; nothing when the project has neither usage nor limits. */
std::optional<ProjectQuota> projectQuota(const FileSystem& where, uint32_t project);
/** Q_XSETQLIM. */
void setProjectLimits(const FileSystem& where, uint32_t project, const ProjectLimits& limits);

/** Linux 5.14. */
bool hasQuotactlFd();

}  // namespace layer_store::quota
