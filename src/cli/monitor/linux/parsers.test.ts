/** The kernel's files as other machines have them, with what this one does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMounts } from "./disk-space.ts";
import { parseTransfers } from "./disk-transfer.ts";
import { parseMemory } from "./memory.ts";
import { parseTransmissions } from "./network.ts";
import { parseCoreTimes } from "./processor.ts";

test("mounts: disks once, at their shortest path; nothing of the kernel, of snap, of the network", () => {
  const mounts = `sysfs /sys sysfs rw 0 0
/dev/sda1 /srv/www ext4 rw 0 0
/dev/sda1 / ext4 rw 0 0
/dev/sda1 /var/lib/bind ext4 rw 0 0
/dev/mapper/vg-data /mnt/my\\040data\\011x\\134 xfs rw 0 0
/dev/loop3 /snap/core/1 squashfs ro 0 0
server:/export /mnt/nfs nfs4 rw 0 0
//server/share /mnt/cifs cifs rw 0 0
tmpfs /run tmpfs rw 0 0
tank/home /home zfs rw 0 0
`;
  assert.deepEqual(parseMounts(mounts), ["/", "/home", "/mnt/my data\tx\\"]);
  assert.deepEqual(parseMounts("overlay / overlay rw 0 0\n"), ["/"]);
});

test("disk transfers: bytes, without layers and what was never used", () => {
  const text = `   7       0 loop0 9 0 9 0 0 0 0 0 0 0 0
   8       0 sda 100 0 2000 5 50 0 400 7 0 0 0 0 0 0 0
   8       1 sda1 90 0 1000 5 50 0 400 7 0 0 0
 253       0 dm-0 90 0 1000 5 50 0 400 7 0 0 0
   8      16 sdb 0 0 0 0 0 0 0 0 0 0 0
`;
  const transfers = parseTransfers(text);
  assert.deepEqual(transfers, [
    { disk: "sda", bytesRead: 1_024_000, bytesWritten: 204_800 },
    { disk: "sda1", bytesRead: 512_000, bytesWritten: 204_800 },
  ]);
});

test("network: also where a number stands close to its colon, and a name has one", () => {
  const text = `Inter-|   Receive                            |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0
  eth0:123456789 9 2 0 0 0 0 0 987 8 3 0 0 0 0 0
eth0:1: 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0
`;
  const [, first, second] = parseTransmissions(text);
  assert.deepEqual(first, {
    interfaceName: "eth0",
    bytesIn: 123_456_789,
    bytesOut: 987,
    errors: 5,
  });
  assert.equal(second.interfaceName, "eth0:1");
});

test("processor: waiting for a disk is idle, what a hypervisor gave to others is busy", () => {
  const text =
    "cpu  100 20 30 400 50 6 7 8 90 10\ncpu0 1 2 3 4\nintr 5 6\ncpufreq 1 1 1 1 1\nprocs_running 2\n";
  assert.deepEqual(parseCoreTimes(text), [
    { name: "cpu", busy: 171, idle: 450 },
    { name: "cpu0", busy: 6, idle: Number.NaN },
  ]);
});

test("memory: in bytes", () => {
  const memory = parseMemory("MemTotal:       1000 kB\nHugePages_Total:       0\n");
  assert.equal(memory.get("MemTotal"), 1_024_000);
});
