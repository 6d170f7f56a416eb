# What CI runs, and the steps by themselves.
check: fmt clippy test doc deny

fmt:
    cargo fmt --check

clippy:
    cargo clippy --locked --all-targets -- -D warnings

test:
    scripts/test

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib

deny:
    cargo deny check licenses bans sources

# Sealing and verifying of 100 MB: time and memory.
bench-seal:
    scripts/bench-seal

# Full TCP sweep of one loopback host beside nmap, in one paired run.
bench-sweep:
    scripts/bench-sweep

# Full TCP sweeps over lossy links and of devices that drop, beside nmap; root.
bench-links:
    scripts/bench-links

# docs/accuracy.md: what scans find of what is there, over 20 runs, beside nmap; root, most of an hour.
accuracy:
    scripts/accuracy

# Parsers of strangers' bytes, SECONDS each, on what chance makes of golden packets.
fuzz seconds="600":
    scripts/fuzz {{seconds}}
