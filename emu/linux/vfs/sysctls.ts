/**
 * What /proc/sys says that is always the same: what holds in this machine, and for what has no meaning here, what Linux 6.1 begins with.
 * Limits that other files know, and what changes, are in proc-system.ts.
 */
import { BUFFER_DEFAULT, SOMAXCONN } from "../net/socket-constants.ts";
import { directoryOf, type Synthetic, type SyntheticDirectory, textFile } from "./synthetic.ts";

const OVERFLOW = "65534";
/** Half of kernel/threads-max: namespaces of each kind, of which a user can make none all the same. */
const NAMESPACES_MAX = "2048";

/** Settings of an interface, or of all: net/ipv4/conf and net/ipv6/conf. */
const CONF4: Readonly<Record<string, string>> = {
  accept_local: "0",
  accept_redirects: "1",
  accept_source_route: "0",
  arp_announce: "0",
  arp_filter: "0",
  arp_ignore: "0",
  forwarding: "0",
  log_martians: "0",
  mc_forwarding: "0",
  proxy_arp: "0",
  route_localnet: "0",
  rp_filter: "0",
  secure_redirects: "1",
  send_redirects: "1",
};
const CONF6: Readonly<Record<string, string>> = {
  accept_dad: "1",
  accept_ra: "1",
  accept_redirects: "1",
  addr_gen_mode: "0",
  autoconf: "1",
  disable_ipv6: "0",
  forwarding: "0",
  hop_limit: "64",
  mtu: "65536",
  use_tempaddr: "0",
};

/** Under a folder, with the names and values of one of these. */
const under = (folder: string, values: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(values).map(([name, value]) => [`${folder}/${name}`, value]);

const INTERFACES = ["all", "default", "lo"];

const VALUES: readonly (readonly [string, string])[] = [
  ...under("kernel", {
    auto_msgmni: "0",
    "ctrl-alt-del": "0",
    dmesg_restrict: "1",
    io_delay_type: "0",
    kptr_restrict: "0",
    numa_balancing: "0",
    overflowgid: OVERFLOW,
    overflowuid: OVERFLOW,
    panic_on_oops: "0",
    panic_on_warn: "0",
    print_fatal_signals: "0",
    printk_delay: "0",
    printk_ratelimit: "5",
    printk_ratelimit_burst: "10",
    sched_rr_timeslice_ms: "100",
    sched_rt_period_us: "1000000",
    sched_rt_runtime_us: "950000",
    shm_rmid_forced: "0",
    sysctl_writes_strict: "1",
    timer_migration: "1",
    unprivileged_bpf_disabled: "2",
    unprivileged_userns_clone: "0",
  }),
  ...under("vm", {
    admin_reserve_kbytes: "8192",
    compaction_proactiveness: "20",
    dirty_background_bytes: "0",
    dirty_background_ratio: "10",
    dirty_bytes: "0",
    dirty_expire_centisecs: "3000",
    dirty_ratio: "20",
    dirty_writeback_centisecs: "500",
    laptop_mode: "0",
    legacy_va_layout: "0",
    nr_overcommit_hugepages: "0",
    oom_dump_tasks: "1",
    oom_kill_allocating_task: "0",
    overcommit_kbytes: "0",
    "page-cluster": "3",
    panic_on_oom: "0",
    stat_interval: "1",
    unprivileged_userfaultfd: "0",
    user_reserve_kbytes: "131072",
    vfs_cache_pressure: "100",
    zone_reclaim_mode: "0",
  }),
  ...under("fs", {
    "aio-max-nr": "65536",
    "aio-nr": "0",
    "dentry-state": "0\t0\t45\t0\t0\t0",
    "dir-notify-enable": "1",
    "inode-state": "0\t0\t0\t0\t0\t0\t0",
    "leases-enable": "1",
    "mount-max": "100000",
    "mqueue/msg_default": "10",
    "mqueue/msgsize_default": "8192",
    overflowgid: OVERFLOW,
    overflowuid: OVERFLOW,
    "pipe-user-pages-hard": "0",
    "pipe-user-pages-soft": "16384",
    protected_fifos: "0",
    protected_regular: "0",
  }),
  ...under("net/core", {
    busy_poll: "0",
    busy_read: "0",
    default_qdisc: "pfifo_fast",
    dev_weight: "64",
    message_burst: "10",
    message_cost: "5",
    netdev_budget: "300",
    netdev_max_backlog: "1000",
    optmem_max: "20480",
    rmem_default: String(BUFFER_DEFAULT),
    rmem_max: String(BUFFER_DEFAULT),
    somaxconn: String(SOMAXCONN),
    wmem_default: String(BUFFER_DEFAULT),
    wmem_max: String(BUFFER_DEFAULT),
  }),
  ...under("net/ipv4", {
    icmp_echo_ignore_all: "0",
    icmp_echo_ignore_broadcasts: "1",
    ip_default_ttl: "64",
    ip_dynaddr: "0",
    ip_forward: "0",
    ip_local_port_range: "32768\t60999",
    ip_local_reserved_ports: "",
    ip_no_pmtu_disc: "0",
    ip_nonlocal_bind: "0",
    ip_unprivileged_port_start: "1024",
    ping_group_range: "1\t0",
    tcp_abort_on_overflow: "0",
    tcp_allowed_congestion_control: "cubic",
    tcp_available_congestion_control: "cubic",
    tcp_congestion_control: "cubic",
    tcp_ecn: "2",
    tcp_fastopen: "0",
    tcp_fin_timeout: "60",
    tcp_keepalive_intvl: "75",
    tcp_keepalive_probes: "9",
    tcp_keepalive_time: "7200",
    tcp_max_orphans: "4096",
    tcp_max_syn_backlog: "128",
    tcp_max_tw_buckets: "4096",
    tcp_mem: "22542\t30056\t45084",
    tcp_moderate_rcvbuf: "1",
    tcp_mtu_probing: "0",
    tcp_no_metrics_save: "0",
    tcp_retries1: "3",
    tcp_retries2: "15",
    tcp_rmem: "4096\t131072\t6291456",
    tcp_sack: "1",
    tcp_slow_start_after_idle: "1",
    tcp_syn_retries: "6",
    tcp_synack_retries: "5",
    tcp_syncookies: "1",
    tcp_timestamps: "1",
    tcp_tw_reuse: "2",
    tcp_window_scaling: "1",
    tcp_wmem: "4096\t16384\t4194304",
    udp_mem: "45084\t60112\t90168",
    udp_rmem_min: "4096",
    udp_wmem_min: "4096",
  }),
  ...INTERFACES.flatMap((name) => under(`net/ipv4/conf/${name}`, CONF4)),
  ...under("net/ipv6", { bindv6only: "0", ip_nonlocal_bind: "0" }),
  ...INTERFACES.flatMap((name) => under(`net/ipv6/conf/${name}`, CONF6)),
  ["net/unix/max_dgram_qlen", "10"],
  ...under("user", {
    max_cgroup_namespaces: NAMESPACES_MAX,
    max_inotify_instances: "128",
    max_inotify_watches: "65536",
    max_ipc_namespaces: NAMESPACES_MAX,
    max_mnt_namespaces: NAMESPACES_MAX,
    max_net_namespaces: NAMESPACES_MAX,
    max_pid_namespaces: NAMESPACES_MAX,
    max_time_namespaces: NAMESPACES_MAX,
    max_user_namespaces: NAMESPACES_MAX,
    max_uts_namespaces: NAMESPACES_MAX,
  }),
];

/** A folder of what is listed by paths from it. */
function treeOf(entries: readonly (readonly [string, string])[]): SyntheticDirectory {
  const groups = new Map<string, (readonly [string, string])[]>();
  for (const [path, value] of entries) {
    const [first, ...rest] = path.split("/");
    groups.set(first, [...(groups.get(first) ?? []), [rest.join("/"), value]]);
  }
  const made = [...groups].map(([name, below]): [string, Synthetic] => [
    name,
    below[0][0] === "" ? textFile(`${below[0][1]}\n`, 0o644) : treeOf(below),
  ]);
  return directoryOf(Object.fromEntries(made));
}

/** The settings that are always the same, as they stand in /proc/sys. */
export const fixedSettings = (): SyntheticDirectory => treeOf(VALUES);
