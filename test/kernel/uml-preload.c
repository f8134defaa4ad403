// Preloaded into User-Mode Linux, for two things that Debian's 6.1 lacks.
//
// Wide registers: it knows a register file of 2696 bytes, processors with AMX have one of 11008. It reads and writes a process's
// registers with PTRACE_GETREGSET and PTRACE_SETREGSET; the host cuts what is read to the buffer, but refuses (EFAULT) to be given
// less than the whole. The part that is missing is given in its initial state: nothing in the guest can have changed it, as the host
// enables AMX only for processes that ask by a system call that the guest does not have. (Linux 6.10 measures the size itself.)
//
// Death: when the harness is killed the guest's kernel ends, and with it the host processes that it started (its helpers) or traces
// (those of the guest).
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef long (*Ptrace)(int, pid_t, void *, void *);

// Offsets within the XSAVE area: its header begins with the bitmap of components that are not in their initial state.
enum { PRESENT_COMPONENTS = 512, KNOWN_COMPONENTS = 0x3ff /* x87 to PKRU, which end at 2696 */, LARGEST_AREA = 65536 };

// PTRACE_OLDSETOPTIONS, by which UML sets options too; no header of the C library names it.
enum { OLD_SET_OPTIONS = 21 };

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

__attribute__((constructor)) static void endWithParent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

struct Start {
  int (*function)(void *);
  void *argument;
};

static int begin(void *start) {
  endWithParent();
  return ((struct Start *)start)->function(((struct Start *)start)->argument);
}

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...) {
  static int (*real)(int (*)(void *), void *, int, void *, ...);
  if (real == NULL) real = (int (*)(int (*)(void *), void *, int, void *, ...))dlsym(RTLD_NEXT, "clone");
  va_list rest;
  va_start(rest, argument);
  void *const parentId = va_arg(rest, void *);
  void *const threadArea = va_arg(rest, void *);
  void *const childId = va_arg(rest, void *);
  va_end(rest);
  // At the top of the child's stack, the one place that is there for as long as the child needs it.
  struct Start *const start = (struct Start *)(((uintptr_t)stack - sizeof(struct Start)) & ~(uintptr_t)15);
  *start = (struct Start){function, argument};
  return real(begin, start, flags, start, parentId, threadArea, childId);
}

long ptrace(enum __ptrace_request request, ...) {
  static Ptrace real;
  if (real == NULL) real = (Ptrace)dlsym(RTLD_NEXT, "ptrace");
  va_list rest;
  va_start(rest, request);
  const pid_t pid = va_arg(rest, pid_t);
  void *const address = va_arg(rest, void *);
  void *data = va_arg(rest, void *);
  va_end(rest);
  if (request == PTRACE_SETOPTIONS || (int)request == OLD_SET_OPTIONS) data = (void *)((uintptr_t)data | PTRACE_O_EXITKILL);
  const int registers = request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE;
  if (!registers || areaSize == 0) {
    const long result = real(request, pid, address, data);
    if (!registers || result >= 0 || errno != EFAULT) return result;
  }
  return setWhole(real, pid, data);
}
