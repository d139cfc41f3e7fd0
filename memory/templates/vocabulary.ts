/**
 * Words that logs are made of. A word of a template that is in here is shown from the first line on; any other only when
 * many lines had it (shown.ts). Words with which one would tell a model what to do are not in here on purpose.
 */

const words = `
a able abort aborted aborting about accept accepted accepting access accessed account acknowledged acl across action activated
activating activation active add added adding address adding admin after again age agent alert alive all allocate allocated
allocation allow allowed allocating already altered an analyze and answer any api app appears application applied apply applying
are argument array as assertion assigned at attach attached attaching attempt attempts audit auth authenticated authentication
authorization authorized autovacuum available aborts back backend backing backlog backup bad bandwidth base battery be became because
been before begin beginning behind below between bind binding bios bit block blocked blocks body boot booted booting bound bridge
broadcast broken buffer buffers build bus busy but by bytes cache cached call called calls can cancel canceled cancelled cancelling
cannot capabilities capacity card carrier case catch certificate chain change changed changes changing channel check checked checking
checkpoint checkpoints checksum child children chip cipher class clean cleaned cleaning cleanup clear cleared client clients clock close closed
closing cluster code cold collection collected column command commit committed common compact compacted complete completed
completing completion compressed computed concurrent condition config configuration configured configuring conflict connect connected
connecting connection connections connects constraint container content context control controller conversion cookie copied copy core
corrected correctable corrupt corrupted could count counter cpu crash crashed create created creates creating creation critical cron current
cycle daemon data database date day days deactivated dead deadline deadlock debug declined default deferred defined degraded delay
delayed deleted delivered denied deny dependency deprecated descriptor desired destination destroyed detach detached detail
detected device devices dhcp did different directory disabled discarded disconnect disconnected disconnecting discovered disk
disks display distance dns do does domain done down download downloaded drive driver drop dropped dropping due dump duplicate duration
during each elapsed election emergency empty enabled enabling encountered encrypted end ended ending endpoint engine entered entering
entries entry environment epoch error errors established eth event events every exceeded exception exceptions excluded
executed executing exhausted exist existing exists exit exited exiting expected expired expires exported extended external
extracted fail failed failing fails failure failures fallback family fan fast fatal fault feature fetch fetched fetching few field fields
file files filesystem filter filtered filtering final find finish finished finishing firmware first fixed flag flags flow flush flushed flushing for
forced fork forked format forward forwarded forwarding found frame free freed frequency from full function garbage gateway generated generation get
getting given global good got graceful grace granted group groups guest half halt halted handle handled handler handling handshake hard
hardware has hash have having head header headers health healthy heap heartbeat held helper high hit hold host hosts hot hour
hours http https hub i id idle identified if ignored image images import imported in inactive inbound incoming incomplete incorrect
increased index indexes inet info information init initialised initialized initializing initialization inode input insert inserted installed
instance instances integrity interface internal interrupt interrupted interval into invalid invalidated io ip irq is issue issued
it its job jobs join joined joining journal keepalive kept kernel key keys kill killed killing kind known label lag large last latency
layer lease leader left length less level limit limited limits line lines link links list listen listener listening load loaded loading local
locale lock locked locking log logged login logins logname logout logs long lookup loop lost low machine main maintenance make making malformed
manager map mapped mapping mark marked master match matched matching max maximum mechanism media member memory message messages method
metadata metrics migrated migration min minimum minute minutes mirror mismatch missing mode model modified module modules monitor
monitoring more mount mounted mounting moved ms multicast multiple must name namespace native need needed needs negotiated negotiation
neighbor neighbour network new next nic no node nodes none normal not nothing notice notification notified now null number object objects obtained
occurred of off offer offered offline offset ok old on once one online only oom open opened opening operation operational operations option
options or order orphan other out outbound outgoing output over overflow overrun own owner packet packets page pages panic parameter parameters parent
parse parsed parser parsing partial partition passed password path peer peers pending per percent performing period permission
permitted persistent physical pid ping pipe plugin policy poll pool port ports possible power preauth preparing present pressure
previously primary priority private probe probed probing process processed processes processing profile progress promiscuous promoted properties property
protected protocol provided proxy public publickey purged queue queued queues quota rate raw reach reachable reached read reading readonly ready
reason reassigned rebuild received receiver receiving recently reclaimed recognized record recorded records recover recovered recovery
recycle recycled redirected redo reduced refresh refreshed refused region register registered registering registration registry rejected
related release released releasing relation reload reloaded reloading remote removable removed removing renamed renew renewed renewal
repair repaired repeated replaced replay replica replicated replication reply report reported request requested requests required reserved
reset resetting resolve resolved resolution resource resources respond response responses restart restarted restarting restore restored
result results resume resumed resuming retried retries retry retrying returned returning reverse rhost rolled root rotate rotated round route
router routes routing row rows rule rules ruser run running runtime safe sample saved saving scan scanned scanning schedule scheduled
scheduler scheme scope script second seconds section sector secure security segment segments select selected semaphore send sending sense sent
sequence serial server servers service services serving session sessions set setting settings setup severity share shared short should shut
shutdown shutting signal signature since single size skip skipped skipping slave sleep slept slot slow slots small snapshot socket software
some source space span spawned speed split stack stage stale standard standby start started starting starts startup state statement
static statistics status step stepped still stop stopped stopping storage store stored stratum stream string subnet subscribed success
successful successfully succeeded summary super supervisor supported suspended swap switch switched switching symbol sync synced synchronised
synchronized syntax system table tables tag tainted take taken takes taking target task tasks tcp temperature temporary terminate terminated
terminating termination test than that the their then there thermal this thread threads threshold throttled through throughput time timed
timeout timeouts timer timestamp times tls to token too took total trace traffic transaction transactions transfer transferred transition translation transmit trap tree
tried triggered trusted try trying tty tunnel two type udp uid unable unallocated unauthorized unavailable unchanged under unexpected
unhealthy uninitialized unique unit unknown unloaded unlocked unmapped unmounted unmounting unplugged unreachable unrecognized unregistered unresolved unsupported until
unused up update updated updates updating upload uploaded upper upstream uptime url usable usage usb use used user users using usr vacuum valid
validated validation value values verification verified verify version via victim virtual volume voltage wait waited waiting wake wakeup
wal warm warn warning warnings was watch watchdog watching were when while will with within without worker workers write writes writing written
wrong zero zone
get put post head patch options http tcp udp icmp arp ntp ssh ssh2 tls ssl sata ata scsi nvme pci pcie acpi cpu cpus ram swap numa ext4 xfs btrfs erofs tmpfs
src dst len ttl proto spt dpt mac gid euid egid comm exe ppid tos prec window syn ack fin rst urgp df ce
info debug warn fatal log hint detail statement ok nak discover dhcpdiscover dhcpoffer dhcprequest dhcpack dhcpnak dhcprelease
`;

const known = new Set(words.split(/\s+/).filter((word) => word !== ""));

/** A word alone, in any case of its letters. */
export function inVocabulary(word: string): boolean {
  return known.has(word.toLowerCase()) && /^[A-Za-z0-9]+$/.test(word);
}
