//! `mliot verify TASK|VERSION FILE`: learns a kept version once more and compares the bytes.

use std::path::Path;

use serde_json::json;

use crate::base::{Name, Sources};
use crate::diag::{Code, Diagnostic};
use crate::host::Verify;
use crate::lifecycle::{InProcess, Registry, RegistryError, Verified, Version, no_version};
use crate::plan::Graph;
use crate::runtime::Settings;

use super::Outcome;
use super::args::VerifyArgs;
use super::inputs::connect;
use super::place::{machines, registry};
use super::progress::Line;
use super::terminal::{ended, say};

/// 0 where every byte is the same, 1 where something differs, 3 where that cannot be found out.
pub fn verify(args: &VerifyArgs) -> Outcome {
    let registry = registry(&args.file, args.state.state.as_ref());
    let verified = named(&registry, &args.what, &args.file).map_err(|wrong| vec![wrong]);
    match verified.and_then(|version| verified_version(args, &registry, &version)) {
        Ok(verified) => {
            say(&if args.json { format!("{}\n", json!(verified)) } else { verified.text() });
            if verified.is_equal() { Outcome::Good } else { Outcome::Refused }
        }
        Err(wrong) => ended(&wrong, &Sources::default(), args.json),
    }
}

fn verified_version(args: &VerifyArgs, registry: &Registry, version: &Version) -> Result<Verified, Vec<Diagnostic>> {
    let mut line = Line::new(args.json);
    let mut progress = |status| {
        line.replaying(&status);
        true
    };
    let settings = Settings::default();
    let settings = Settings { batch_rows_max: args.batch.unwrap_or(settings.batch_rows_max), ..settings };
    let parallel = std::thread::available_parallelism().map_or(1, usize::from);
    let connect = |closure: &mut Graph| connect(closure, &args.inputs);
    let verify = Verify {
        registry,
        parts: &machines(&args.file),
        settings,
        trials: &InProcess { parallel },
        connect: &connect,
        progress: &mut progress,
    };
    let verified = { verify }.version(version);
    line.clear();
    verified
}

/// A version by its name, or the champion of a task by the task's.
pub fn named(registry: &Registry, what: &str, file: &Path) -> Result<Version, Diagnostic> {
    let failed = RegistryError::diagnostic;
    let tasks = registry.tasks().map_err(failed)?;
    if tasks.iter().any(|task| *what == **task) {
        let champion = registry.champion(what).map_err(failed)?;
        return champion.ok_or_else(|| nothing_named(what, &tasks, file));
    }
    let version: Version = what.parse().map_err(|()| nothing_named(what, &tasks, file))?;
    let known = registry.versions(&version.task).map_err(failed)?;
    if known.contains(&version) { Ok(version) } else { Err(no_version(&version, &known)) }
}

/// R0504.
fn nothing_named(what: &str, tasks: &[Name], file: &Path) -> Diagnostic {
    let tasks: Vec<String> = tasks.iter().map(|task| format!("`{task}`")).collect();
    let help = match tasks.is_empty() {
        true => format!("learn first: mliot replay {}", file.display()),
        false => {
            format!("name a version such as occupancy-3, or a task with a champion; models are kept of {}", tasks.join(", "))
        }
    };
    Diagnostic::new(Code::R0504, format!("no model is kept that is called `{what}`")).help(help)
}
