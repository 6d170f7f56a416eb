//! Which of the ports that devices use most are open once everything else was looked at.
use super::{Probe, tcp_ports};
use crate::model::{Subject, Touch, Why, scope::PortSpec};
use crate::scan::session::Ctx;

pub const PROBE: Probe = Probe {
    id: "tcp-rescan",
    version: 1,
    title: "TCP ports, later",
    page: include_str!("tcp_rescan.md"),
    touch: Touch::Connect,
    subjects_from: &[],
    run: |ctx| Box::pin(run(ctx)),
};

/// Ports on which devices have been found to listen: our own list, by services of home, camera and industrial devices.
const USUAL: &str = "21-23,25,53,80-82,88,102,110-111,135,139,143,161,389,443,445,502,515,548,554,631,873,888,990,993,1080,1099,1234,\
    1400,1433,1723,1883,1900,2000,2323,2375-2376,2379,2404,2601,3000,3128,3232,3306,3333,3389,3702,4070,4433,4444,4786,4840,4911,\
    5000-5001,5060,5431-5432,5555,5683-5684,5800,5900,6000,6053,6379,6443,6466-6467,6668,7000,7547,7681,7777,8000-8001,8008-8009,\
    8060,8080-8081,8083,8086,8088,8123,8161,8266,8443,8530,8554,8581,8883-8884,8886,8888,8899,9000-9001,9080,9090,9100,9119,9197,\
    9200,9229,9339,9443,9527,9530,9999-10001,10250,10255,11211,15672,16992,18083,20000,21064,22222,27017,30005,32764,34567,37215,\
    37777,44818,47808,49152-49153,50051,51005,51827,52869,54321,55443,57400,60000";

async fn run(ctx: &Ctx) {
    let scope = &ctx.session.scope;
    let usual = format!("tcp:{USUAL}").parse::<PortSpec>().map(|spec| spec.tcp).unwrap_or_default();
    let may = |p: &u16| scope.ports.tcp.binary_search(p).is_ok() && !scope.excluded_ports.contains(p);
    let ports: Vec<u16> = usual.iter().copied().filter(may).collect();
    for host in ctx.session.hosts.clone() {
        if ports.len() < usual.len() {
            ctx.gap(Some(Subject::Host(host)), Why::OutOfScope);
        }
        if !ports.is_empty() {
            tcp_ports::ask_and_record(ctx, host, &ports).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_whole() {
        let usual = format!("tcp:{USUAL}").parse::<PortSpec>().unwrap().tcp;
        assert_eq!((usual.len(), usual.first(), usual.last()), (142, Some(&21), Some(&60000)));
    }
}
