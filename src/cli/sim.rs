//! `sim list|run`.
use super::{Done, Exit, Failure, args::SimCommand, output};
use patuh::{
    judge::profile::nearest,
    sim::{self, Device, PortShift},
};
use std::fmt::Write;

pub fn device(name: &str) -> Result<Device, Failure> {
    let found = sim::find(name).ok_or_else(|| {
        let near = nearest(name, sim::list().iter().map(|b| b.name));
        Failure::new(Exit::Usage, format!("no simulated device `{name}`{near}; see `patuh sim list`"))
    })?;
    Device::parse(found.toml, name).map_err(|e| Failure::new(Exit::Ours, e.to_string()))
}

pub async fn run(command: SimCommand) -> Done {
    match command {
        SimCommand::List => {
            let mut out = String::new();
            for b in sim::list() {
                let d = device(b.name)?;
                let _ = writeln!(out, "{:<26} {}", b.name, d.title);
            }
            output::result(&out)?;
        }
        SimCommand::Run { name, bind, shift } => {
            let device = device(&name)?;
            let shift = if shift == 0 { PortShift::None } else { PortShift::By(shift) };
            let running = sim::start(&device, bind, shift)
                .await
                .map_err(|e| Failure::new(Exit::NotPermitted, format!("{e}; an ordinary user gives --shift 20000")))?;
            let mut out = format!("{} at {bind}:", device.title);
            for (transport, port) in running.endpoints() {
                let _ = write!(out, " {}/{port}", format!("{transport:?}").to_lowercase());
            }
            output::result(&(out + "\n"))?;
            let _ = tokio::signal::ctrl_c().await;
            running.stop().await;
        }
    }
    Ok(Exit::Passed)
}
