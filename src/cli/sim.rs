//! `sim list|run|update`.
use super::{Done, Exit, Failure, args::SimCommand, output, source};
use patuh::{
    judge::profile::nearest,
    model::observation::lab::Resource,
    sim::{self, Delivery, Device, Home, PortShift, UPDATERS, Updater},
};
use rsa::{RsaPublicKey, pkcs8::DecodePublicKey};
use std::{fmt::Write, net::SocketAddr, path::Path};

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
        SimCommand::Update { name: Some(name), plan: Some(plan), key: Some(key), port, restarted } => {
            let client = client(&name)?;
            let client = if restarted { client.restarted() } else { client };
            update(client, &plan, &key, port).await?;
        }
        SimCommand::Update { name: Some(_), .. } => {
            return Err(Failure::new(Exit::Usage, "an update client needs --plan lab.toml and --key maker-public.pem"));
        }
        SimCommand::Update { name: None, .. } => {
            let mut out = String::new();
            for (name, toml) in UPDATERS {
                let _ = writeln!(out, "{name:<26} {}", updater(name, toml)?.title);
            }
            output::result(&out)?;
        }
    }
    Ok(Exit::Passed)
}

fn updater(name: &str, toml: &str) -> Result<Updater, Failure> {
    Updater::parse(toml, name).map_err(|e| Failure::new(Exit::Ours, e.to_string()))
}

fn client(name: &str) -> Result<Updater, Failure> {
    let found = UPDATERS.iter().find(|u| u.0 == name).ok_or_else(|| {
        let near = nearest(name, UPDATERS.iter().map(|u| u.0));
        Failure::new(Exit::Usage, format!("no update client `{name}`{near}; see `patuh sim update`"))
    })?;
    updater(found.0, found.1)
}

async fn update(client: Updater, plan: &Path, key: &Path, port: u16) -> Result<(), Failure> {
    let (laboratory, ca) = (super::lab::plan(plan)?, super::lab::ca(plan)?);
    let lacks = |what: &str| Failure::new(Exit::BadConfig, format!("`{}`: {what}", plan.display()));
    let of = |kind| laboratory.resources.iter().find(|r| r.kind == kind).map(|r| r.path.clone());
    let page = laboratory.device.first().map(|host| SocketAddr::new(*host, port)).ok_or_else(|| lacks("no device"))?;
    let key = RsaPublicKey::from_public_key_pem(&source::text(key)?)
        .map_err(|e| Failure::new(Exit::BadInput, format!("`{}`: no RSA public key in PEM: {e}", key.display())))?;
    let dns = match (&laboratory.dns, client.delivery) {
        (Some(dns), _) => dns.port,
        (None, Delivery::Upload) => 0,
        (None, Delivery::Pull) => return Err(lacks("[dns]: the client needs a name server")),
    };
    let home = Home {
        page,
        dns: SocketAddr::new(laboratory.address, dns),
        ntp: laboratory.ntp.as_ref().map(|n| SocketAddr::new(laboratory.address, n.port)),
        name: laboratory.names.first().cloned().unwrap_or_default(),
        https_port: laboratory.https_port,
        http_port: laboratory.http_port,
        metadata: of(Resource::Metadata).unwrap_or_default(),
        signature: of(Resource::MetadataSignature),
        ca,
        key,
    };
    let title = client.title.clone();
    let running = client.start(home).await.map_err(|e| Failure::new(Exit::NotPermitted, e.to_string()))?;
    output::result(&format!("{title}: http://{page}/version\n"))?;
    let _ = tokio::signal::ctrl_c().await;
    running.stop().await;
    Ok(())
}
