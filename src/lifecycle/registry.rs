//! Models on disk: `STATE/models/TASK/VERSION/`, each version complete, written aside and renamed, and one file per task that
//! names the champion.

mod files;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Hash, Name};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Policy, Task};
use crate::model::{Config, Fitted};
use crate::plan::Graph;

use super::{Generation, Member, Stopped};
use files::{read, write_all};

const MODEL: &str = "model.safetensors";
const CLOSURE: &str = "closure.json";
const MANIFEST: &str = "manifest.json";
const CHAMPION: &str = "champion";
const STAGED: &str = ".staged";

/// `occupancy-3`: short, ordered, and what rows are marked with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub task: Name,
    /// From 1.
    pub number: u32,
}

/// What a training depends on: equal identities give equal bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Of the closure: every definition that its features depend on.
    pub closure: Hash,
    pub task: Hash,
    pub policy: Hash,
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
    pub family: String,
    pub config: Config,
    /// As the fit used it; the policy's seed is in its hash.
    pub fit_seed: u64,
    pub seed: u64,
    pub split: String,
    /// Rows of the fit that serves.
    pub rows: usize,
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

    /// Writes every member of a generation, the champion first, and points to it where there is one.
    /// Nothing is seen before it is complete; after a failure the champion is as before.
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
        let identity = Identity::of(task, policy, closure, generation);
        let mut versions = Vec::new();
        for (nth, member) in generation.members.iter().enumerate() {
            let version = Version { task: task.name.clone(), number: first + nth as u32 };
            let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
            files.insert(MODEL.into(), member.bundle.clone());
            files.insert(CLOSURE.into(), to_json(closure));
            for (round, twin) in member.twins.iter().enumerate() {
                files.insert(twin_name(round), twin.clone());
            }
            let manifest = Manifest {
                version: version.clone(),
                generation: first,
                identity,
                family: member.family.clone(),
                config: member.config.clone(),
                fit_seed: member.seed,
                seed: generation.seed,
                split: generation.split.words.clone(),
                rows: generation.split.refit.len(),
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
            self.set_champion(&versions[champion])?;
        }
        Ok(versions)
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
        let checked = |name: &str| -> Result<Vec<u8>, RegistryError> {
            let bytes = read(&self.file(version, name))?;
            match manifest.files.get(name) {
                Some(hash) if *hash == Hash::of_bytes(&bytes) => Ok(bytes),
                Some(_) | None => Err(damaged(&self.file(version, name), "its checksum differs")),
            }
        };
        let fitted = |name: &str| -> Result<Arc<Fitted>, RegistryError> {
            let fitted = Fitted::from_bytes(&checked(name)?, &version.to_string());
            fitted.map(Arc::new).map_err(|error| damaged(&self.file(version, name), &error.0))
        };
        Ok(Stored {
            closure: from_json(&checked(CLOSURE)?, &self.file(version, CLOSURE))?,
            fitted: fitted(MODEL)?,
            twins: (0..manifest.twins).map(|round| fitted(&twin_name(round))).collect::<Result<_, _>>()?,
            manifest,
        })
    }

    /// The version that serves; None before the first.
    pub fn champion(&self, task: &str) -> Result<Option<Version>, RegistryError> {
        let path = self.root.join(task).join(CHAMPION);
        if !path.exists() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&read(&path)?).trim().to_owned();
        text.parse().map(Some).map_err(|()| damaged(&path, "it names no version"))
    }

    pub fn set_champion(&self, version: &Version) -> Result<(), RegistryError> {
        files::replace(&self.root.join(&*version.task).join(CHAMPION), format!("{version}\n").as_bytes())
    }

    /// The versions of an earlier training with this identity, champion first: training again would give their bytes.
    pub fn find(&self, task: &str, identity: &Identity) -> Result<Vec<Version>, RegistryError> {
        let mut found: Vec<Manifest> = Vec::new();
        for version in self.versions(task)? {
            let Ok(manifest) = self.manifest(&version) else { continue };
            if manifest.identity == *identity && found.first().is_none_or(|first| first.generation == manifest.generation) {
                found.push(manifest);
            }
        }
        Ok(found.into_iter().map(|manifest| manifest.version).collect())
    }

    fn file(&self, version: &Version, name: &str) -> PathBuf {
        self.root.join(&*version.task).join(version.to_string()).join(name)
    }
}

impl Identity {
    pub fn of(task: &Task, policy: &Policy, closure: &Graph, generation: &Generation) -> Identity {
        let (data, order) = generation.digests;
        Identity { closure: Hash::of(closure), task: Hash::of(task), policy: Hash::of(policy), data, order }
    }
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

fn twin_name(round: usize) -> String {
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
