/** Numbers of Linux on powerpc that concern files (arch/powerpc/include/uapi/asm, include/uapi/linux). */

export const O_ACCMODE = 0o3;
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
export const O_ASYNC = 0o20000;
/** The next four have numbers of their own on powerpc. */
export const O_DIRECTORY = 0o40000;
export const O_NOFOLLOW = 0o100000;
export const O_LARGEFILE = 0o200000;
export const O_DIRECT = 0o400000;
export const O_NOATIME = 0o1000000;
export const O_CLOEXEC = 0o2000000;
export const O_SYNC = 0o4010000;
export const O_PATH = 0o10000000;
export const O_TMPFILE = 0o20000000 | O_DIRECTORY;
/** Every flag that open(2) knows; openat2(2) refuses others. */
export const O_VALID = 0o37777703 | O_DSYNC | O_ASYNC;

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISVTX = 0o1000;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EACCESS = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;
export const AT_STATX_SYNC_TYPE = 0x6000;

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

/** What locks of fcntl(2) and leases are. */
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;

/** FMODE_* of struct file, as images carry them. */
export const FMODE_READ = 1;
export const FMODE_WRITE = 2;
export const FMODE_LSEEK = 4;
export const FMODE_PREAD = 8;
export const FMODE_PWRITE = 0x10;

/** Longest path and name, with and without the terminating NUL. */
export const PATH_MAX = 4096;
export const NAME_MAX = 255;
/** Symbolic links followed in one path. */
export const MAX_SYMLINKS = 40;
/** Most bytes of one read or write: INT_MAX rounded down to a page. */
export const MAX_RW_COUNT = 0x7fff_f000;
export const IOV_MAX = 1024;
/** Largest file offset, 2^63 - 1 to Linux; what a number holds exactly here. */
export const MAX_OFFSET = Number.MAX_SAFE_INTEGER;
