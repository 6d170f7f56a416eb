//! Names to addresses, through hickory-resolver with the system's configuration.
use hickory_resolver::TokioResolver;
use std::net::IpAddr;

/// The addresses of `name`; an address resolves to itself without asking anybody.
pub async fn resolve(name: &str) -> Result<Vec<IpAddr>, String> {
    if let Ok(a) = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok(vec![a]);
    }
    if name == "localhost" {
        return Ok(vec![std::net::Ipv4Addr::LOCALHOST.into()]);
    }
    let resolver = TokioResolver::builder_tokio().and_then(|b| b.build()).map_err(|e| e.to_string())?;
    let found = tokio::time::timeout(std::time::Duration::from_secs(10), resolver.lookup_ip(name)).await;
    let found = found.map_err(|_| "no answer within 10 s".to_owned())?.map_err(|e| e.to_string())?;
    let mut all: Vec<IpAddr> = found.iter().collect();
    // IPv4 first: it is what most devices are reached by.
    all.sort_by_key(|a| (a.is_ipv6(), *a));
    if all.is_empty() { Err("the name has no address".to_owned()) } else { Ok(all) }
}
