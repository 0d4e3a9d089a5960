/** Numbers of a system call on x64 and arm64; null: that architecture has none of this name. */
export type CallNumbers = readonly [x64: number | null, arm64: number | null];

/**
 * What no function has any business with: most local exploits of the kernel of the last years began with one of these, and Node,
 * libuv and V8 do without. They answer EPERM.
 */
export const FORBIDDEN: Readonly<Record<string, CallNumbers>> = {
  // other processes
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  // mounts and namespaces
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  // files by handles, past the view of the mounts
  open_by_handle_at: [304, 265],
  name_to_handle_at: [303, 264],
  fanotify_init: [300, 262],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  // the kernel itself
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  syslog: [103, 116],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  iopl: [172, null],
  ioperm: [173, null],
  modify_ldt: [154, null],
  uselib: [134, null],
  personality: [135, 92],
  // keys of the kernel
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  // the clock and the name of the machine
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
};

/** These answer ENOSYS, as on a kernel that lacks them: who asks then takes another way. clone3's flags lie in memory, where no filter sees them. */
export const ABSENT: Readonly<Record<string, CallNumbers>> = {
  clone3: [435, 435],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
};

/** A new process without a function's leave to start any; `clone` is looked at by its flags. */
export const STARTING: Readonly<Record<string, CallNumbers>> = { fork: [57, null], vfork: [58, null] };

export const CLONE: CallNumbers = [56, 220];
export const SOCKET: CallNumbers = [41, 198];

/** Of a thread; without it clone makes a process. */
export const CLONE_THREAD = 0x1_0000;
/** New namespaces: cgroup, mount, uts, ipc, user, pid and net. */
export const CLONE_NEW = 0x7e02_0000;

/** unix, inet, inet6, and netlink, by which names are looked up. Others (vsock, packet, bluetooth …) know no network namespace, or too much. */
export const SOCKET_FAMILIES = [1, 2, 10, 16] as const;
