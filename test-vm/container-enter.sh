#!/bin/sh
# Turns this process into PID 1 of a container: new namespaces, the root read-only, then stage0.
#
#   container-enter.sh outer CGROUP NEW ROOT DATA CONFIG PROGRAMS USERLAND   joins CGROUP, leaves the host's namespaces
#   container-enter.sh inner NEW ROOT DATA CONFIG PROGRAMS USERLAND         mounts, and becomes /sbin/init
#
# CGROUP, DATA, CONFIG, PROGRAMS (a folder of test programs, seen at /mnt) and USERLAND (its base, seen where the ESP has
# it) may be "-" for none. ROOT is a folder or an erofs image. NEW is an empty folder.
# What a real machine would own and a container must not touch stays the host's: its clock, its sysctls, its devices.
set -eu

stage=$1
shift

if [ "$stage" = outer ]; then
  cgroup=$1
  shift
  [ "$cgroup" = - ] || echo $$ > "$cgroup/cgroup.procs"
  exec unshare --fork --kill-child=KILL --pid --mount --net --uts --ipc --cgroup --propagation private -- "$0" inner "$@"
fi

new=$1 root=$2 data=$3 config=$4 programs=$5 userland=$6

if [ -d "$root" ]; then
  mount --bind "$root" "$new"
  mount -o remount,bind,ro "$new"
else
  mount -t erofs -o ro,loop "$root" "$new"
fi

mount -t proc -o nosuid,nodev,noexec proc "$new/proc"
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs "$new/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$new/sys/fs/cgroup"
mount -t tmpfs -o mode=0755,nosuid,size=64k tmpfs "$new/dev"
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$new/run"
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=64m tmpfs "$new/tmp"

for node in null zero full random urandom tty; do
  : > "$new/dev/$node"
  mount --bind "/dev/$node" "$new/dev/$node"
done
mkdir "$new/dev/pts" "$new/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,nosuid,noexec devpts "$new/dev/pts"
ln -s pts/ptmx "$new/dev/ptmx"
mount -t tmpfs -o mode=1777,nosuid,nodev,size=64m tmpfs "$new/dev/shm"
ln -s /proc/self/fd "$new/dev/fd"

# The host's sysctls are readable; those of this network namespace, and dropping caches, may be written.
mkdir "$new/run/own-proc"
mount -t proc proc "$new/run/own-proc"
mount --bind "$new/proc/sys" "$new/proc/sys"
mount -o remount,bind,ro "$new/proc/sys"
mount --bind "$new/run/own-proc/sys/net" "$new/proc/sys/net"
mount --bind "$new/run/own-proc/sys/vm/drop_caches" "$new/proc/sys/vm/drop_caches"
umount -l "$new/run/own-proc"
rmdir "$new/run/own-proc"
[ ! -e "$new/proc/sysrq-trigger" ] || mount --bind /dev/null "$new/proc/sysrq-trigger"

[ "$data" = - ] || mount --bind "$data" "$new/var/lib/aios"
if [ "$programs" != - ]; then
  mount --bind "$programs" "$new/mnt"
  mount -o remount,bind,ro "$new/mnt"
fi
if [ "$userland" != - ]; then
  mount -t tmpfs -o mode=0755,nosuid,nodev,noexec,size=64k tmpfs "$new/efi"
  mkdir "$new/efi/aios"
  : > "$new/efi/aios/userland.erofs"
  mount --bind "$userland" "$new/efi/aios/userland.erofs"
  mount -o remount,bind,ro "$new/efi/aios/userland.erofs"
fi
if [ "$config" != - ]; then
  mkdir -p "$new/run/aios/config"
  cp "$config" "$new/run/aios/config/aios.yaml"
fi

cd "$new"
mount --move . /
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin AIOS_MODE=container container=aios \
  setpriv --inh-caps=-sys_time,-sys_module,-sys_rawio,-mknod,-syslog,-wake_alarm \
  --bounding-set=-sys_time,-sys_module,-sys_rawio,-mknod,-syslog,-wake_alarm \
  chroot . /sbin/init
