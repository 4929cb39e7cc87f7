//! `mliot models FILE`: what the state folder keeps.

use serde_json::{Value, json};

use crate::base::Name;
use crate::host::learns;
use crate::lifecycle::{Manifest, Registry, RegistryError, Version};

use super::Outcome;
use super::args::ModelsArgs;
use super::load::load;
use super::place::registry;
use super::terminal::{ended, say};

pub fn models(args: &ModelsArgs) -> Outcome {
    let loaded = match load(&args.file, args.json) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    let registry = registry(&args.file.file, args.state.state.as_ref());
    let mut all = Vec::new();
    for task in learns(&loaded.graph).keys() {
        match listed(&registry, task) {
            Ok(found) => all.push(found),
            Err(error) => {
                ended(&[error.diagnostic()], &loaded.compiled.sources, args.json);
                return Outcome::Failed;
            }
        }
    }
    if args.json {
        say(&format!("{}\n", json!({ "tasks": all.iter().map(Listed::json).collect::<Vec<_>>() })));
    } else {
        all.iter().for_each(|one| say(&one.text()));
    }
    Outcome::Good
}

/// The models of one task, oldest first.
struct Listed {
    task: Name,
    champion: Option<Version>,
    manifests: Vec<Manifest>,
}

fn listed(registry: &Registry, task: &Name) -> Result<Listed, RegistryError> {
    let versions = registry.versions(task)?;
    let manifests = versions.iter().map(|version| registry.manifest(version)).collect::<Result<_, _>>()?;
    Ok(Listed { task: task.clone(), champion: registry.champion(task)?, manifests })
}

impl Listed {
    fn text(&self) -> String {
        if self.manifests.is_empty() {
            return format!("{}: nothing learned yet\n", self.task);
        }
        let mut out = format!("{}\n", self.task);
        for manifest in &self.manifests {
            let champion = if self.champion.as_ref() == Some(&manifest.version) { "champion" } else { "" };
            let line = format!("  {:<16} {:<12} {}  {champion}", manifest.version, manifest.family, manifest.config);
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    fn json(&self) -> Value {
        json!({
            "task": self.task,
            "champion": self.champion.as_ref().map(ToString::to_string),
            "models": self.manifests,
        })
    }
}
