"""Accuracy of scans: what is there (by the device's own file or configuration) against what was found."""
import concurrent.futures, json, os, pathlib, re, shutil, signal, socket, statistics, subprocess, sys, tempfile, time, tomllib

HERE = pathlib.Path(__file__).resolve().parent.parent
PATUH = os.environ.get("PATUH", str(HERE / "target/release/patuh"))
RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
ONLY = sys.argv[2:]
AT_ONCE = int(os.environ.get("AT_ONCE", "8"))
NMAP = ["nmap", "-n", "-Pn", "-sT", "-sU", "-sV", "--script", "default or auth", "-T4", "--host-timeout", "300", "-oX", "-"]
NMAP_SECONDS = 600  # an endless service keeps it beyond its own limit
BUDGET = (8, 24)  # failed log-ins per account and per service, as a laboratory allows them whose devices may lock

# The listed secrets, by user: an account with one of them is a default account that is present.
LISTED = {(c["user"], c["secret"]) for c in tomllib.load(open(HERE / "profiles/data/credentials.toml", "rb"))["credential"]}


def accounts(device):
    """Listed accounts of a simulated device: service and user."""
    found = set()
    for kind, services in device.items():
        for s in services if isinstance(services, list) else []:
            for u in s.get("users", []) if isinstance(s, dict) else []:
                if (u["user"], u["password"]) in LISTED:
                    found.add((s["port"], u["user"]))
    return found


class Simulated:
    def __init__(self, path):
        self.file = tomllib.load(open(path, "rb"))
        self.name, self.expect = self.file["name"], self.file.get("expect", {})
        self.accounts, self.given = accounts(self.file), self.file.get("accounts", [])

    def start(self, host, _):
        p = subprocess.Popen([PATUH, "sim", "run", self.name, "--bind", host], stdout=subprocess.PIPE, text=True, start_new_session=True)
        said = p.stdout.readline()
        self.endpoints = set(re.findall(r"(?:tcp|udp)/\d+", said))
        return [p]


def certificate(d):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{d}/key.pem", "-out", f"{d}/cert.pem", "-days", "300",
                    "-subj", "/CN=device", "-addext", "basicConstraints=critical,CA:FALSE"], check=True, capture_output=True)


def write(d, name, text):
    path = f"{d}/{name}"
    pathlib.Path(path).write_text(text)
    return path


class Real:
    """A server from the distribution: how it is set up, what is there, and which checks are to fail."""

    def __init__(self, name, endpoints, fails, accounts, command):
        self.name, self.endpoints, self.accounts, self.command = name, set(endpoints), set(accounts), command
        self.expect, self.given = dict.fromkeys(fails, "FAIL"), []

    def start(self, host, d):
        args = self.command(host, d)
        p = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for endpoint in self.endpoints:
            transport, port = endpoint.split("/")
            until = time.monotonic() + 15
            while not listening(transport, host, int(port)):
                if p.poll() is not None or time.monotonic() > until:
                    sys.exit(f"{self.name}: the server is not ready: {args}")
                time.sleep(0.02)
        return [p]


def listening(transport, host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM) as s:
        if transport == "tcp":
            return s.connect_ex((host, port)) == 0
        try:
            s.bind((host, port))
        except OSError:
            return True
        return False


def mosquitto(extra):
    def command(host, d):
        certificate(d)
        users = write(d, "users", "")
        for user, secret in (("hub", "kX9-longer-than-any-list-entry"), ("admin", "admin")):
            if f"user={user}" in extra:
                subprocess.run(["mosquitto_passwd", "-b", users, user, secret], check=True, capture_output=True)
        conf = re.sub(r"user=\w+", f"password_file {users}", extra).replace("HOST", host).replace("DIR", str(d))
        return ["mosquitto", "-c", write(d, "m.conf", conf + "\npersistence false\nuser root\n")]
    return command


def lighttpd(secret):
    def command(host, d):
        write(d, "index.html", "<title>Camera</title>Firmware: 1.2.3")
        users = write(d, "users", f"admin:{secret}\n")
        return ["lighttpd", "-D", "-f", write(d, "l.conf", f'server.bind = "{host}"\nserver.port = 8080\nindex-file.names = ("index.html")\nserver.document-root = "{d}"\n'
                f'server.modules = ("mod_auth", "mod_authn_file")\nauth.backend = "plain"\nauth.backend.plain.userfile = "{users}"\n'
                'auth.require = ("/" => ("method" => "basic", "realm" => "camera", "require" => "valid-user"))\n')]
    return command


def snmpd(line):
    return lambda host, d: ["snmpd", "-f", "-Lo", "-C", "-c", write(d, "s.conf", f"agentaddress udp:{host}:161\n{line}\n"), "-I", "-smux", "-p", f"{d}/pid"]


def redis(*more):
    return lambda host, d: ["redis-server", "--port", "6379", "--bind", host, "--save", "", "--dir", str(d), "--protected-mode", "no", *more]


def vsftpd(anonymous):
    def command(host, d):
        os.mkdir(f"{d}/ftp")
        return ["vsftpd", write(d, "v.conf", f"listen=YES\nbackground=NO\nlisten_address={host}\nlisten_port=21\nanonymous_enable={anonymous}\n"
                f"local_enable=YES\nanon_root={d}/ftp\nsecure_chroot_dir={d}/ftp\nseccomp_sandbox=NO\n")]
    return command


def dropbear(host, d):
    subprocess.run(["dropbearkey", "-t", "ed25519", "-f", f"{d}/k"], check=True, capture_output=True)
    return ["dropbear", "-F", "-E", "-s", "-r", f"{d}/k", "-p", f"{host}:22", "-P", f"{d}/pid"]


REAL = [
    Real("mosquitto, open", ["tcp/1883"], ["mqtt-anonymous-connect", "mqtt-cleartext-listener", "mqtt-sys-topics"], [],
         mosquitto("listener 1883 HOST\nallow_anonymous true")),
    Real("mosquitto, admin/admin", ["tcp/1883"], ["mqtt-cleartext-listener", "mqtt-default-creds"],
         [(1883, "admin")], mosquitto("listener 1883 HOST\nallow_anonymous false\nuser=admin")),
    Real("mosquitto, TLS and passwords", ["tcp/8883"], [], [],
         mosquitto("listener 8883 HOST\ncertfile DIR/cert.pem\nkeyfile DIR/key.pem\nallow_anonymous false\nuser=hub")),
    Real("lighttpd, Basic admin:admin", ["tcp/8080"], ["http-admin-cleartext", "http-basic-default-creds", "http-empty-password"], [(8080, "admin")], lighttpd("admin")),
    Real("lighttpd, Basic with its own password", ["tcp/8080"], ["http-admin-cleartext"], [], lighttpd("Gt7-Sumpf-Kerze-40")),
    Real("snmpd, public", ["udp/161"], ["snmp-default-community-read", "snmp-legacy-version"], [], snmpd("rocommunity public 127.0.0.0/8")),
    Real("snmpd, v3 only", ["udp/161"], [], [], snmpd("rouser nobody authPriv")),
    Real("redis, open", ["tcp/6379"], ["datastore-remote-open"], [], redis()),
    Real("redis, foobared", ["tcp/6379"], ["redis-default-creds"], [(6379, "")], redis("--requirepass", "foobared")),
    Real("redis, its own secret", ["tcp/6379"], [], [], redis("--requirepass", "kX9-longer-than-any-list-entry")),
    Real("vsftpd, anonymous", ["tcp/21"], ["ftp-anonymous", "svc-legacy-insecure"], [], vsftpd("YES")),
    Real("vsftpd, named users", ["tcp/21"], ["svc-legacy-insecure"], [], vsftpd("NO")),
    Real("dropbear, keys only", ["tcp/22"], [], [], dropbear),
    Real("dnsmasq", ["tcp/53", "udp/53"], [], [], lambda host, d: ["dnsmasq", "-k", "--no-resolv", "--no-hosts", f"--listen-address={host}",
         "--bind-interfaces", "--conf-file=/dev/null", "--pid-file=", "--user="]),
]


def everywhere():
    """Ports that this machine serves on every address; they are there, too."""
    lines = [l.split() for f in ("tcp", "tcp6") for l in open(f"/proc/net/{f}").readlines()[1:]]
    return {f"tcp/{int(l[1].split(':')[1], 16)}" for l in lines if l[3] == "0A" and set(l[1].split(":")[0]) == {"0"}}


def stop(servers):
    for p in servers:
        os.killpg(p.pid, signal.SIGTERM)
        p.wait()


def patuh(*args):
    out = subprocess.run([PATUH, *args], capture_output=True, text=True)
    if out.returncode not in (0, 1, 2):
        sys.exit(f"patuh {args}: {out.returncode} {out.stderr}")
    return out.stdout


def given(device, d):
    """What the owner of a device gives to those who look at it, for the scope file."""
    one = lambda n, a: (f'[[accounts]]\nuser = "{a["user"]}"\nsecret = "file:{write(d, f"secret-{n}", a["password"])}"\n'
                        f'role = "{a["role"]}"\npassword = "may-change"\n')
    return "".join(one(n, a) for n, a in enumerate(device.given))


def once(device, host):
    with tempfile.TemporaryDirectory() as d:
        running = device.start(host, d)
        udp = sorted({53, 67, 69, 123, 137, 161, 500, 1900, 3702, 5060, 5353, 5683, 5684, 10001, 47808}
                     | {int(e.split("/")[1]) for e in device.endpoints if e.startswith("udp")})
        before = time.monotonic()
        scope = write(d, "scope.toml", f'authorised_by = "the accuracy table"\nhosts = ["{host}/32"]\nports = "tcp:1-65535,udp:{",".join(map(str, udp))}"\n'
                      f'most = "alter"\nidle_seconds = 3\nelsewhere = "127.0.79.250"\n[credentials]\nper_account = {BUDGET[0]}\nper_service = {BUDGET[1]}\n' + given(device, d))
        patuh("scan", host, "--scope", scope, "--out", f"{d}/r", "--ledger", f"{d}/ledger")
        took = time.monotonic() - before
        stop(running)
        inventory = json.loads(patuh("inventory", f"{d}/r", "--format", "json"))
        judged = json.loads(patuh("judge", f"{d}/r", "--profile", "all", "--format", "json"))
        found = {f"{e['transport']}/{e['port']}" for e in inventory["endpoints"]} - everywhere()
        proved = {(e["port"], l["user"]) for e in inventory["endpoints"] for l in e["logins"] if l["accepted"]}
        attempts = {}
        for line in open(f"{d}/r/recording.jsonl"):
            o = json.loads(line).get("observation", {})
            if o.get("kind") == "login-trial" and o["answer"] == "refused" and "listed" in o["presented"]:
                attempts[o["user"]] = attempts.get(o["user"], 0) + 1
        rows = {r["check"]: r["verdict"] for a in judged for r in a["results"]}
        return {"found": found, "proved": proved, "rows": rows, "attempts": max(attempts.values(), default=0), "took": took,
                "services": {f"{e['transport']}/{e['port']}": e["service"] for e in inventory["endpoints"]}}


def by_nmap(device, host):
    with tempfile.TemporaryDirectory() as d:
        running = device.start(host, d)
        ports = "T:1-65535,U:53,67,69,123,137,161,500,1900,3702,5060,5353,5683,5684,10001,47808," + ",".join(
            e.split("/")[1] for e in sorted(device.endpoints) if e.startswith("udp"))
        before = time.monotonic()
        try:
            xml = subprocess.run([*NMAP, "-p", ports.rstrip(","), host], capture_output=True, text=True, timeout=NMAP_SECONDS).stdout
        except subprocess.TimeoutExpired:
            xml = ""
        took = time.monotonic() - before
        stop(running)
        found = {f"{t}/{p}" for t, p in re.findall(r'<port protocol="(\w+)" portid="(\d+)"><state state="open"', xml)} - everywhere()
        valid = len(re.findall(r"[Vv]alid credentials|Anonymous FTP login allowed", xml))
        return {"found": found, "credentials": valid, "took": took}


def main():
    devices = [Simulated(p) for p in sorted((HERE / "fixtures/duts").glob("*.toml"))] + REAL
    devices = [d for d in devices if not ONLY or d.name in ONLY]
    # Every run has addresses of its own, so that a slow device holds up no other.
    host = lambda n, d: f"127.0.{80 + n}.{devices.index(d) + 1}"
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {(n, d.name): pool.submit(once, d, host(n, d)) for n in range(RUNS) for d in devices}
        by_other = {d.name: pool.submit(by_nmap, d, host(RUNS, d)) for d in devices}
        runs = {d.name: [] for d in devices}
        for (n, name), run in begun.items():
            runs[name].append(run.result())
            if name == devices[-1].name:
                print(f"run {n + 1}/{RUNS}", file=sys.stderr, flush=True)
        nmap = {name: run.result() for name, run in by_other.items()}
    report(devices, runs, nmap)


def report(devices, runs, nmap):
    lines, wrong = [], []
    for d in devices:
        rs, first = runs[d.name], runs[d.name][0]
        for r in rs:
            wrong += [f"{d.name}: {e} was not found" for e in d.endpoints - r["found"]]
            wrong += [f"{d.name}: {e} was invented" for e in r["found"] - d.endpoints]
            wrong += [f"{d.name}: {c} is FAIL, which its file does not expect" for c, v in r["rows"].items() if v == "FAIL" and d.expect.get(c) != "FAIL"]
            wrong += [f"{d.name}: {c} is {r['rows'][c]} instead of {v}" for c, v in d.expect.items() if c in r["rows"] and r["rows"][c] != v and v == "FAIL"]
        false = max(sum(v == "FAIL" and d.expect.get(c) != "FAIL" for c, v in r["rows"].items()) for r in rs)
        agree = sum((r["found"], r["proved"], r["rows"]) == (first["found"], first["proved"], first["rows"]) for r in rs)
        found = min(len(r["found"] & d.endpoints) for r in rs)
        proved = min(len({a for a in r["proved"] if a in d.accounts}) for r in rs)
        n = nmap[d.name]
        lines.append(f"| {d.name} | {found}/{len(d.endpoints)} | {max(len(r['found'] - d.endpoints) for r in rs)} | {proved}/{len(d.accounts)} | {false} "
                     f"| {max(r['attempts'] for r in rs)}/{BUDGET[0]} | {agree}/{len(rs)} | {statistics.median(r['took'] for r in rs):.0f} "
                     f"| {len(n['found'] & d.endpoints)}/{len(d.endpoints)} | {len(n['found'] - d.endpoints)} | {n['credentials']} | {n['took']:.0f} |")
    text = f"""# Accuracy

Made by `scripts/accuracy`: {RUNS} scans of each device at the default pace, with at most {BUDGET[0]} failed log-ins per account and {BUDGET[1]} per service,
and one of nmap ({nmap_version()}, `{' '.join(NMAP[1:-2])}`) in the same run, {AT_ONCE} devices at once on {os.cpu_count()} cores. All TCP ports; of
UDP the same short list for both. The least of all runs is shown for what was found, the most for what is false.

- *ports*: endpoints found of those present. *invented*: found, and not there.
- *accounts*: default accounts proved of those present; a default pair so far down the list that the budget does not reach it is
  not proved, and the verdict is INCONCLUSIVE.
- *false*: checks that FAIL and should not. *attempts*: the most failed log-ins that one account was charged with, of those allowed.
- *agree*: runs with the same endpoints, accounts and verdicts as the first. Times are seconds.
- nmap's *accounts* counts scripts' "valid credentials" and anonymous FTP. It is stopped after {NMAP_SECONDS} s; what has taken it as long found
  nothing.

| device | ports | invented | accounts | false | attempts | agree | s | nmap ports | nmap invented | nmap accounts | nmap s |
|---|---|---|---|---|---|---|---|---|---|---|---|
""" + "\n".join(lines) + "\n"
    (HERE / "docs/accuracy.md").write_text(text)
    for w in sorted(set(wrong)):
        print(w)
    sys.exit(1 if wrong else 0)


def nmap_version():
    return subprocess.run(["nmap", "--version"], capture_output=True, text=True).stdout.split("\n")[0].split(" (")[0]


main()
