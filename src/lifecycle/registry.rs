//! Models on disk: `STATE/models/TASK/VERSION/`, each version complete, written aside and renamed, and one file per task that
//! names the champion.

mod files;
mod prune;
mod reign;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Hash, Name, Time};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Models, Policy, Task};
use crate::model::{Config, Fitted};
use crate::plan::{Graph, Learn, NodeKey, Slot, Training};

use super::{Generation, Member, Report, Stopped};
use files::{read, write_all};

pub use prune::Pruned;
pub use reign::Reign;

pub(super) const MODEL: &str = "model.safetensors";
const CLOSURE: &str = "closure.json";
const MANIFEST: &str = "manifest.json";
/// Of the training, beside the first of its models.
const REPORT: &str = "report.json";
const STAGED: &str = ".staged";

/// `occupancy-3`: short, ordered, and what rows are marked with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub task: Name,
    /// From 1.
    pub number: u32,
}

/// What a training depends on: equal identities and lists of models give equal bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Every definition that the features and the target depend on, column by column.
    pub features: Hash,
    pub training: Training,
    /// Of the rows in whatever order.
    pub data: Hash,
    /// Of their order.
    pub order: Hash,
}

/// Everything about a version but its weights and its closure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub version: Version,
    /// The first version of the same training.
    pub generation: u32,
    pub identity: Identity,
    /// What the search looked at.
    pub models: Models,
    pub family: String,
    pub config: Config,
    /// As the fit used it; the policy's seed is in its hash.
    pub fit_seed: u64,
    pub seed: u64,
    pub split: String,
    /// Rows of the fit that serves.
    pub rows: usize,
    /// All rows that the task had collected; 0 in what earlier versions have kept.
    #[serde(default)]
    pub collected: usize,
    /// The latest time among them, where they have times.
    pub until: Option<Time>,
    /// What the choice goes by: figures of the unrefitted twins, and costs.
    pub member: Member,
    pub hold_out: BTreeMap<String, f64>,
    pub trials: usize,
    pub stopped: Stopped,
    /// The champion at the time.
    pub parent: Option<Version>,
    pub software: Software,
    pub twins: usize,
    /// Checksums of the other files, by name.
    pub files: BTreeMap<String, Hash>,
}

/// Where bits may come from besides the inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    pub mliot: String,
    pub target: String,
    pub cpu: Vec<String>,
}

/// A version taken from the disk, checked.
#[derive(Clone, Debug)]
pub struct Stored {
    pub manifest: Manifest,
    pub closure: Graph,
    pub fitted: Arc<Fitted>,
    /// One per round of the split.
    pub twins: Vec<Arc<Fitted>>,
}

/// The world's failure while models are read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryError {
    pub code: Code,
    pub message: String,
}

impl RegistryError {
    /// For the person at the state folder.
    pub fn diagnostic(self) -> Diagnostic {
        Diagnostic::new(self.code, self.message).help("check the state folder: its disk, its rights, and who else writes to it")
    }
}

/// The models of one state folder. One process writes it at a time.
#[derive(Clone, Debug)]
pub struct Registry {
    root: PathBuf,
}

impl Registry {
    /// In `state`, which need not exist yet.
    pub fn at(state: &Path) -> Registry {
        Registry { root: state.join("models") }
    }

    /// Writes every member of a generation, the champion first, and points to it where there is one and nobody has pinned
    /// another. Nothing is seen before it is complete; after a failure the champion is as before.
    pub fn commit(
        &self,
        task: &Task,
        policy: &Policy,
        closure: &Graph,
        generation: &Generation,
    ) -> Result<Vec<Version>, RegistryError> {
        let folder = self.root.join(&*task.name);
        files::clean(&folder, STAGED)?;
        let first = self.versions(&task.name)?.last().map_or(1, |last| last.number + 1);
        let parent = self.champion(&task.name)?;
        let learn = Learn { task: task.clone(), policy: policy.clone() };
        let identity = Identity::of(&learn, closure, generation.digests);
        let mut versions = Vec::new();
        for (nth, member) in generation.members.iter().enumerate() {
            let version = Version { task: task.name.clone(), number: first + nth as u32 };
            let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
            files.insert(MODEL.into(), member.bundle.clone());
            files.insert(CLOSURE.into(), to_json(closure));
            if nth == 0 {
                files.insert(REPORT.into(), to_json(&generation.report));
            }
            for (round, twin) in member.twins.iter().enumerate() {
                files.insert(twin_name(round), twin.clone());
            }
            let manifest = Manifest {
                version: version.clone(),
                generation: first,
                identity,
                models: task.models.clone(),
                family: member.family.clone(),
                config: member.config.clone(),
                fit_seed: member.seed,
                seed: generation.seed,
                split: generation.split.words.clone(),
                rows: generation.split.refit.len(),
                collected: generation.ordinals.len(),
                until: generation.until,
                member: member.member.clone(),
                hold_out: if generation.champion == Some(nth) { generation.report.hold_out.clone() } else { BTreeMap::new() },
                trials: generation.trials_done,
                stopped: generation.stopped,
                parent: parent.clone(),
                software: Software::here(),
                twins: member.twins.len(),
                files: files.iter().map(|(name, bytes)| (name.clone(), Hash::of_bytes(bytes))).collect(),
            };
            files.insert(MANIFEST.into(), to_json(&manifest));
            write_all(&folder.join(STAGED), &folder.join(version.to_string()), &files)?;
            versions.push(version);
        }
        if let Some(champion) = generation.champion {
            self.set_champion(&versions[champion], identity.training.choice)?;
        }
        Ok(versions)
    }

    /// Tasks of which models are kept, whether the file still has them or not.
    pub fn tasks(&self) -> Result<Vec<Name>, RegistryError> {
        let mut tasks: Vec<Name> = files::folders(&self.root)?.into_iter().map(Name::from).collect();
        tasks.sort();
        Ok(tasks)
    }

    /// Of a task, oldest first; also those that are damaged.
    pub fn versions(&self, task: &str) -> Result<Vec<Version>, RegistryError> {
        let names = files::folders(&self.root.join(task))?;
        let mut versions: Vec<Version> = names.iter().filter_map(|name| name.parse().ok()).collect();
        versions.retain(|version: &Version| version.task == *task);
        versions.sort();
        Ok(versions)
    }

    pub fn manifest(&self, version: &Version) -> Result<Manifest, RegistryError> {
        from_json(&read(&self.file(version, MANIFEST))?, &self.file(version, MANIFEST))
    }

    /// All of it, with its checksums checked.
    pub fn open(&self, version: &Version) -> Result<Stored, RegistryError> {
        let manifest = self.manifest(version)?;
        let fitted = |name: &str| -> Result<Arc<Fitted>, RegistryError> {
            let fitted = Fitted::from_bytes(&self.checked(&manifest, name)?, &version.to_string());
            fitted.map(Arc::new).map_err(|error| damaged(&self.file(version, name), &error.0))
        };
        Ok(Stored {
            closure: from_json(&self.checked(&manifest, CLOSURE)?, &self.file(version, CLOSURE))?,
            fitted: fitted(MODEL)?,
            twins: (0..manifest.twins).map(|round| fitted(&twin_name(round))).collect::<Result<_, _>>()?,
            manifest,
        })
    }

    /// The models of one training, the champion at the time first: of the champion's where its manifests are `wanted`, else
    /// of the newest that are. Damaged versions are left out; empty where there is none.
    pub fn generation(&self, task: &str, wanted: &dyn Fn(&Manifest) -> bool) -> Result<Vec<Manifest>, RegistryError> {
        let versions = self.versions(task)?;
        let readable = versions.iter().filter_map(|version| self.manifest(version).ok());
        let found: Vec<Manifest> = readable.filter(|manifest| wanted(manifest)).collect();
        let champion = self.champion(task).ok().flatten();
        let own = found.iter().find(|manifest| champion.as_ref() == Some(&manifest.version));
        let Some(generation) = own.or(found.last()).map(|manifest| manifest.generation) else { return Ok(Vec::new()) };
        Ok(found.into_iter().filter(|manifest| manifest.generation == generation).collect())
    }

    /// What the training of a generation, of which this is the first model, has reported.
    pub fn report(&self, first: &Manifest) -> Result<Report, RegistryError> {
        let path = self.file(&first.version, REPORT);
        from_json(&self.checked(first, REPORT)?, &path)
    }

    /// The bytes of one of a version's files, if they are those that were written.
    fn checked(&self, manifest: &Manifest, name: &str) -> Result<Vec<u8>, RegistryError> {
        let path = self.file(&manifest.version, name);
        let bytes = read(&path)?;
        match manifest.files.get(name) {
            Some(hash) if *hash == Hash::of_bytes(&bytes) => Ok(bytes),
            Some(_) | None => Err(damaged(&path, "its checksum differs")),
        }
    }

    fn file(&self, version: &Version, name: &str) -> PathBuf {
        self.root.join(&*version.task).join(version.to_string()).join(name)
    }
}

impl Identity {
    /// `digests` are of the rows in whatever order, and of their order.
    pub fn of(learn: &Learn, closure: &Graph, (data, order): (Hash, Hash)) -> Identity {
        Identity { features: features_of(closure, &learn.task.name), training: Training::of(learn), data, order }
    }

    /// Are these the features and the target of the task as the graph defines them?
    pub fn has_features_of(&self, learn: &Learn, closure: &Graph) -> bool {
        self.features == features_of(closure, &learn.task.name)
    }

    /// Would a training with the other one learn the same, but for who is chosen in the end?
    pub fn learns_as(&self, other: &Identity) -> bool {
        self.has_rows_of(other) && self.training.budget == other.training.budget
    }

    /// Are features, rows and their division those of the other one?
    pub fn has_rows_of(&self, other: &Identity) -> bool {
        let Identity { features, training: Training { split, budget: _, choice: _ }, data, order } = *self;
        (features, split, data, order) == (other.features, other.training.split, other.data, other.order)
    }
}

/// What the columns mean that reach a task's model.
pub fn features_of(closure: &Graph, task: &Name) -> Hash {
    closure.nodes.get(&NodeKey::of_file(task, Slot::Task)).map(|spec| spec.hashes.flow).unwrap_or_default()
}

impl Software {
    pub fn here() -> Software {
        Software {
            mliot: env!("CARGO_PKG_VERSION").to_owned(),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            cpu: cpu_features(),
        }
    }
}

/// Those that libraries choose their kernels by.
fn cpu_features() -> Vec<String> {
    #[cfg(target_arch = "x86_64")]
    let found = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let found: [(&str, bool); 0] = [];
    found.iter().filter(|(_, has)| *has).map(|(name, _)| (*name).to_owned()).collect()
}

pub(super) fn twin_name(round: usize) -> String {
    format!("twin-{round}.safetensors")
}

fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("plain data always serialises")
}

fn from_json<T: for<'de> Deserialize<'de>>(bytes: &[u8], path: &Path) -> Result<T, RegistryError> {
    serde_json::from_slice(bytes).map_err(|error| damaged(path, &error.to_string()))
}

fn damaged(path: &Path, why: &str) -> RegistryError {
    RegistryError { code: Code::R0501, message: format!("{} is damaged: {why}", path.display()) }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.task, self.number)
    }
}

impl FromStr for Version {
    type Err = ();
    fn from_str(text: &str) -> Result<Version, ()> {
        let (task, number) = text.rsplit_once('-').ok_or(())?;
        let number = number.parse().map_err(|_| ())?;
        if task.is_empty() { Err(()) } else { Ok(Version { task: task.into(), number }) }
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom(format!("`{text}` is no version such as occupancy-3")))
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for RegistryError {}
