//! The passwords on the labels of several devices of the type: compared here, since they must not be written down.
use super::{Probe, accounts::secret};
use crate::model::{Observation, Subject, Touch, Why, observation::labels::Labels, scope::LabelFile};
use crate::scan::{labels, session::Ctx};

pub const PROBE: Probe = Probe {
    id: "label-passwords",
    version: 1,
    title: "passwords of labels",
    page: include_str!("label_passwords.md"),
    touch: Touch::Listen,
    subjects_from: &[],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    let files = &ctx.session.scope.labels;
    if files.is_empty() {
        ctx.gap(None, Why::NotSupplied);
    }
    for file in files {
        match compared(file) {
            Ok(labels) => ctx.record(Subject::Device, Observation::LabelPasswords { labels }, None),
            Err(why) => ctx.gap(None, Why::NotUnderstood(why)),
        }
    }
}

fn compared(file: &LabelFile) -> Result<Labels, String> {
    let text = secret(&file.file, "[[labels]]")?;
    let rows = labels::read(text.as_bytes()).map_err(|e| format!("`{}`: {e}", file.file.as_str()))?;
    Ok(Labels { auth: file.auth.clone(), ..labels::compare(&rows) })
}
