//! Names of sites to addresses, through hickory-resolver: by the system's name servers or by the one that the scope names.
use crate::model::scope::Public;
use crate::scan::resolve::resolve;
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

const WAIT: Duration = Duration::from_secs(10);

pub async fn addresses(name: &str, public: &Public) -> Result<Vec<IpAddr>, String> {
    match public.name_server {
        None => resolve(name).await,
        Some(server) => ask(name, server).await,
    }
}

async fn ask(name: &str, server: SocketAddr) -> Result<Vec<IpAddr>, String> {
    let mut by_udp = ConnectionConfig::udp();
    by_udp.port = server.port();
    let servers = vec![NameServerConfig::new(server.ip(), true, vec![by_udp])];
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let resolver = builder.build().map_err(|e| e.to_string())?;
    // An absolute name, so that no search list of this machine is tried.
    let found = tokio::time::timeout(WAIT, resolver.lookup_ip(format!("{}.", name.trim_end_matches('.')))).await;
    let found = found.map_err(|_| "no answer within 10 s".to_owned())?.map_err(|e| e.to_string())?;
    let mut all: Vec<IpAddr> = found.iter().collect();
    all.sort_by_key(|a| (a.is_ipv6(), *a));
    if all.is_empty() { Err("the name has no address".to_owned()) } else { Ok(all) }
}
