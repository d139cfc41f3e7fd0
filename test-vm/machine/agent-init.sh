# The first program of the test-only initrd: root access for scenarios, from outside the system under test.
#
# The kernel starts busybox with this as PID 1, the initramfs being its root. It leaves a loop behind that serves the virtio-serial
# port aios.test, mounts the real root over the initramfs and becomes /sbin/init there. The loop keeps the initramfs as
# its root: the system does not see its files, and finds it only as one more child of PID 1.

/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /root-of-system /work
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev

port() {
  for entry in /sys/class/virtio-ports/*; do
    [ "$(cat "$entry/name" 2>/dev/null)" = "$1" ] && echo "/dev/${entry##*/}" && return
  done
}

# One line in, one line out: a number and a script in base64; the number, its status and its output in base64.
serve() {
  while :; do
    read -r number line <&3 || { sleep 0.2; continue; }
    echo "$line" | base64 -d > /work/script 2>/dev/null
    sh /work/script > /work/out 2>&1 < /dev/null
    status=$?
    echo "$number $status $(base64 /work/out | tr -d '\n')" >&3
  done
}

waited=0
while [ -z "$(port aios.test)" ] && [ $waited -lt 50 ]; do sleep 0.1; waited=$((waited + 1)); done
(
  exec 3<> "$(port aios.test)" </dev/null >/work/agent.log 2>&1
  serve
) &

root=/dev/vda
for word in $(cat /proc/cmdline); do
  case $word in
    aios.test.root=*) root=${word#aios.test.root=} ;;
  esac
done
until mount -t erofs -o ro "$root" /root-of-system; do sleep 0.1; done
if [ -d /programs ]; then
  # on a file system of their own: the initramfs knows no extended attributes, for which the system looks
  mount -t tmpfs -o mode=0755 tmpfs /root-of-system/mnt
  cp /programs/* /root-of-system/mnt
  mount -o remount,ro /root-of-system/mnt
fi
cd /root-of-system
mount --move . /
exec chroot . /sbin/init < /dev/console > /dev/console 2>&1
