// Preloaded into User-Mode Linux: lets Debian's 6.1 kernel run on processors whose register file is larger than its own (AMX: 11008
// bytes, it knows 2696). It reads and writes a process's registers with PTRACE_GETREGSET and PTRACE_SETREGSET; the host cuts what is read
// to the buffer, but refuses (EFAULT) to be given less than the whole. Linux 6.10 measures the size itself, and is left alone by this.
//
// The part that is missing is given in its initial state: nothing in the guest can have changed it, as the host enables AMX only for
// processes that ask by a system call that the guest does not have.
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef long (*Ptrace)(int, pid_t, void *, void *);

// Offsets within the XSAVE area: its header begins with the bitmap of components that are not in their initial state.
enum { PRESENT_COMPONENTS = 512, KNOWN_COMPONENTS = 0x3ff /* x87 to PKRU, which end at 2696 */, LARGEST_AREA = 65536 };

// The guest kernel is one thread of the host, and its stacks are small.
static unsigned char area[LARGEST_AREA];
static size_t areaSize;

static long setWhole(Ptrace real, pid_t pid, const struct iovec *part) {
  if (areaSize == 0) {
    struct iovec whole = {area, sizeof area};
    if (real(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &whole) < 0) return -1;
    areaSize = whole.iov_len;
  }
  if (part->iov_len > areaSize || part->iov_len < PRESENT_COMPONENTS + sizeof(uint64_t)) {
    errno = EFAULT;
    return -1;
  }
  memcpy(area, part->iov_base, part->iov_len);
  memset(area + part->iov_len, 0, areaSize - part->iov_len);
  uint64_t present;
  memcpy(&present, area + PRESENT_COMPONENTS, sizeof present);
  present &= KNOWN_COMPONENTS;
  memcpy(area + PRESENT_COMPONENTS, &present, sizeof present);
  struct iovec whole = {area, areaSize};
  return real(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &whole);
}

long ptrace(enum __ptrace_request request, ...) {
  static Ptrace real;
  if (real == NULL) real = (Ptrace)dlsym(RTLD_NEXT, "ptrace");
  va_list rest;
  va_start(rest, request);
  const pid_t pid = va_arg(rest, pid_t);
  void *const address = va_arg(rest, void *);
  void *const data = va_arg(rest, void *);
  va_end(rest);
  const int registers = request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE;
  if (!registers || areaSize == 0) {
    const long result = real(request, pid, address, data);
    if (!registers || result >= 0 || errno != EFAULT) return result;
  }
  return setWhole(real, pid, data);
}
