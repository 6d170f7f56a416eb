//! `update`: what an update package is, and packages that a device must refuse.
use super::{Done, Exit, Failure, args::Format, output, source};
use clap::{Args, Subcommand, ValueEnum};
use patuh::image::{self, ImageError, Mutation, Outcome, PrivateKey, Trusted};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct UpdateArgs {
    #[command(subcommand)]
    pub command: UpdateCommand,
}

#[derive(Subcommand)]
pub enum UpdateCommand {
    /// Is it signed, with what, for which model, what is left unprotected, and does it hold private keys
    Inspect(InspectArgs),
    /// Change one thing in a package, so that a device must refuse it
    Mutate(MutateArgs),
}

#[derive(Args)]
#[command(
    after_help = "Known: SWUpdate, RAUC, Mender, MCUboot, SUIT, ESP-IDF, zip, tar, gzip, and any file with its signature beside it.\n\nExamples:\n  patuh update inspect camera-1.2.swu --key maker-public.pem\n  patuh update inspect bundle.raucb --key maker-ca.pem --format json\n  patuh update inspect firmware.bin --signature firmware.bin.minisig --key minisign.pub\n\nExit codes: 0 signed, verified, and nothing weak found; 1 unsigned, weak, a private key inside, or a digest or\nsignature that does not fit; 2 nothing weak found, but not verified (no key given) or not looked into everywhere;\n65 not a package that is known, or a broken one."
)]
pub struct InspectArgs {
    #[arg(value_name = "IMAGE")]
    pub image: PathBuf,
    /// The signature, where it is a file of its own (raw, openssl, CMS, minisign, signify, OpenPGP)
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// The maker's public key or certificate (PEM, DER, minisign, signify)
    #[arg(long, value_name = "PUBKEY")]
    pub key: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    /// One bit in the middle of the payload
    PayloadBit,
    /// One bit in the middle of the signature
    SignatureBit,
    /// Without its signature
    Stripped,
    /// The first half
    Truncated,
    /// It says to be an older version
    Older,
    /// It says to be for another model
    OtherModel,
    /// Signed with the key that --key names
    OtherKey,
}

#[derive(Args)]
#[command(
    after_help = "Lengths, sums and digests that no signature covers are made to fit again, so that a refusal is about the named\nchange alone. With --key the package is signed again afterwards, as with a maker's test key.\n\nExamples:\n  patuh update mutate camera-1.2.swu --kind payload-bit --out camera-bit.swu\n  patuh update mutate camera-1.2.swu --kind other-key --key stranger.pem --out camera-stranger.swu\n  patuh update mutate app.bin --kind older --key test-key.pem --out app-older.bin"
)]
pub struct MutateArgs {
    #[arg(value_name = "IMAGE")]
    pub image: PathBuf,
    #[arg(long, value_enum)]
    pub kind: Kind,
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// A private key (PEM without a passphrase) to sign with again
    #[arg(long, value_name = "PRIVATEKEY")]
    pub key: Option<PathBuf>,
}

pub fn run(a: &UpdateArgs) -> Done {
    match &a.command {
        UpdateCommand::Inspect(a) => inspect(a),
        UpdateCommand::Mutate(a) => mutate(a),
    }
}

fn inspect(a: &InspectArgs) -> Done {
    let image = read(&a.image)?;
    let signature = a.signature.as_deref().map(read).transpose()?;
    let key = a.key.as_deref().map(|k| Trusted::parse(&read(k)?).map_err(|e| bad(k, &e))).transpose()?;
    let found = image::inspect(&image, signature.as_deref(), key.as_ref()).map_err(|e| bad(&a.image, &e))?;
    output::result(&match a.format {
        Format::Text => image::text(&found),
        Format::Json => {
            let json = serde_json::to_string_pretty(&found);
            json.map_err(|e| Failure::new(Exit::Ours, e.to_string()))? + "\n"
        }
    })?;
    Ok(match found.outcome {
        Outcome::Good => Exit::Passed,
        Outcome::Weak => Exit::Failed,
        Outcome::Open => Exit::Inconclusive,
    })
}

fn mutate(a: &MutateArgs) -> Done {
    let image = read(&a.image)?;
    let key = a.key.as_deref().map(|k| PrivateKey::parse(&read(k)?).map_err(|e| bad(k, &e))).transpose()?;
    let kind = match a.kind {
        Kind::PayloadBit => Mutation::PayloadBit,
        Kind::SignatureBit => Mutation::SignatureBit,
        Kind::Stripped => Mutation::Stripped,
        Kind::Truncated => Mutation::Truncated,
        Kind::Older => Mutation::Older,
        Kind::OtherModel => Mutation::OtherModel,
        Kind::OtherKey => Mutation::OtherKey,
    };
    let changed = image::mutate(&image, kind, key.as_ref()).map_err(|e| bad(&a.image, &e))?;
    output::file(&a.out, &changed)?;
    Ok(Exit::Passed)
}

pub fn bad(path: &Path, e: &ImageError) -> Failure {
    Failure::new(Exit::BadInput, format!("`{}`: {e}", path.display()))
}

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let length = std::fs::metadata(path).map_or(0, |m| m.len());
    if length > u64::try_from(image::MOST_BYTES).unwrap_or(u64::MAX) {
        let message = format!("`{}`: larger than {} bytes, which no package is", path.display(), image::MOST_BYTES);
        return Err(Failure::new(Exit::BadInput, message));
    }
    source::read(path)
}
