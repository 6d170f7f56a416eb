import collections, ctypes, fcntl, json, os, random, resource, socket, statistics, struct, subprocess, sys, threading, time

ROUNDS = int(sys.argv[1]) if sys.argv[1:2] not in ([], ["serve"]) else 3
CASES = sys.argv[2:] or ["far", "eight", "dropping"]
ONE_WAY, LOSS = 0.010, 0.01
OPEN = (22, 80, 443, 1883, 8883, 49152, 65535)
HOSTS = [f"10.77.0.{n}" for n in range(2, 10)]
NEAR, FAR = f"patuh-near-{os.getpid()}", f"patuh-far-{os.getpid()}"
libc = ctypes.CDLL(None, use_errno=True)


def sh(*args):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL)


def enter(ns):
    with open(f"/run/netns/{ns}") as f:
        if libc.setns(f.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")


def tun(ns):
    """A TUN device of the namespace, by its file."""
    made = []

    def make():
        enter(ns)
        f = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(f, 0x400454CA, struct.pack("16sH", b"link", 0x1001))
        made.append(f)

    t = threading.Thread(target=make)  # a namespace is a thread's own
    t.start()
    t.join()
    return made[0]


class Link(threading.Thread):
    """Carries packets from one side to the other, late, and loses some."""

    def __init__(self, read, write, loss, dropping):
        super().__init__(daemon=True)
        self.ends, self.loss, self.dropping = (read, write), loss, dropping
        self.latest = 0.0
        self.over = False

    def run(self):
        read, write = self.ends
        queue, closed = collections.deque(), set(OPEN)
        while not self.over:
            now = time.monotonic()
            try:
                for _ in range(256):
                    p = os.read(read, 2048)
                    if self.dropping and p[9] == 6 and struct.unpack_from("!H", p, 22)[0] not in closed:
                        continue
                    if self.loss == 0 or random.random() >= self.loss:
                        queue.append((now + ONE_WAY, p))
            except BlockingIOError:
                pass
            while queue and queue[0][0] <= now:
                due, p = queue.popleft()
                self.latest = max(self.latest, now - due)
                try:
                    os.write(write, p)
                except (BlockingIOError, OSError):
                    pass
            time.sleep(0.0003 if queue else 0.001)


def serve():
    enter(FAR)
    for host in HOSTS:
        for port in OPEN:
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((host, port))
            s.listen(128)
            threading.Thread(target=lambda s=s: [c[0].close() for c in iter(s.accept, None)], daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


def run_in_near(args):
    return subprocess.Popen(["ip", "netns", "exec", NEAR, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def ours(pace, hosts):
    """One process per device, as a laboratory scans eight devices."""
    args = ["target/release/patuh", "scan", "--ports", "tcp:1-65535,udp:none", "--probe", "tcp-ports", "--pace", pace, "--json"]
    all = [run_in_near([*args, host]) for host in hosts]
    return {h: sorted(e["port"] for e in json.loads(p.communicate()[0])["endpoints"]) for h, p in zip(hosts, all)}


def nmap(hosts):
    out = run_in_near(["nmap", "-n", "-Pn", "-sT", "-p-", "-T4", "-oG", "-", *hosts]).communicate()[0].decode()
    found = {h: [] for h in hosts}
    for line in out.splitlines():
        if "Ports:" in line:
            found[line.split()[1]] = sorted(int(w.split("/")[0]) for w in line.replace(",", " ").split() if "/open/tcp" in w)
    return found


def main():
    for ns in (NEAR, FAR):
        sh("ip", "netns", "add", ns)
    try:
        for ns in (NEAR, FAR):
            sh("ip", "-n", ns, "tuntap", "add", "dev", "link", "mode", "tun")
            sh("ip", "-n", ns, "link", "set", "lo", "up")
            sh("ip", "-n", ns, "link", "set", "dev", "link", "txqueuelen", "20000", "up")
        sh("ip", "-n", NEAR, "addr", "add", "10.77.0.1/24", "dev", "link")
        for host in HOSTS:
            sh("ip", "-n", FAR, "addr", "add", f"{host}/24", "dev", "link")
        devices = subprocess.Popen([sys.executable, __file__, "serve", FAR], stdout=subprocess.PIPE)
        devices.stdout.readline()
        near, far = tun(NEAR), tun(FAR)
        for case in CASES:
            compare(case, near, far)
        devices.kill()
    finally:
        for ns in (NEAR, FAR):
            sh("ip", "netns", "del", ns)


def compare(case, near, far):
    hosts = HOSTS if case == "eight" else HOSTS[:1]
    loss = 0 if case == "dropping" else LOSS
    links = [Link(near, far, loss, case == "dropping"), Link(far, near, loss, False)]
    for link in links:
        link.start()
    who = {"patuh fast": lambda: ours("fast", hosts), "patuh adaptive": lambda: ours("adaptive", hosts)}
    if "nonmap" not in os.environ.get("BENCH", ""):
        who = {"nmap -sT -T4": lambda: nmap(hosts), **who}
    times, missed, invented = ({n: [] for n in who} for _ in range(3))
    for n in range(ROUNDS):
        for name, f in who.items():
            if name.startswith("nmap") and n:  # once: it takes minutes
                continue
            before = time.monotonic()
            found = f()
            times[name].append(time.monotonic() - before)
            missed[name].append(sum(len(set(OPEN) - set(f)) for f in found.values()))
            invented[name].append(sum(len(set(f) - set(OPEN)) for f in found.values()))
    base = statistics.median(next(iter(times.values())))
    for name, t in times.items():
        print(f"{case:9} {name:15} median {statistics.median(t):7.1f} s of {len(t):2}  ratio {statistics.median(t) / base:5.2f}  "
              f"missed {sum(missed[name])}  invented {sum(invented[name])}", flush=True)
    print(f"{case:9} the link was late by at most {max(l.latest for l in links) * 1000:.0f} ms", flush=True)
    for link in links:
        link.over = True
        link.join()


if len(sys.argv) > 1 and sys.argv[1] == "serve":
    FAR = sys.argv[2]
    serve()
else:
    main()
