//! From `models …` to the spaces that are searched.

use crate::base::{Name, nearest};
use crate::diag::{Code, Diagnostic};
use crate::ir::network::Network;
use crate::ir::{Candidate, Choices, Dimension, FamilyFacts, Models, Task, TaskKind, Value};
use crate::model::{AnyFamily, Config, ConfigValue, Family, Setting, SettingKind, Stream, families, kind_of};

/// One family with the points to try first and the dimensions to search.
#[derive(Clone)]
pub struct Space {
    pub family: AnyFamily,
    /// Complete configurations, tried in this order.
    pub first: Vec<Config>,
    pub dimensions: Vec<Axis>,
}

/// One number of a configuration, and where it may lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub setting: Name,
    /// Position in a list of numbers.
    pub at: Option<usize>,
    pub low: f64,
    pub high: f64,
    pub whole: bool,
    /// Searched on a logarithmic scale?
    pub log: bool,
}

impl Axis {
    /// From 0..1 to a value.
    pub fn value(&self, unit: f64) -> ConfigValue {
        let unit = unit.clamp(0.0, 1.0);
        let value = match self.log {
            true => libm::exp(libm::log(self.low) + unit * (libm::log(self.high) - libm::log(self.low))),
            false => self.low + unit * (self.high - self.low),
        };
        let value = value.clamp(self.low, self.high);
        if self.whole { ConfigValue::Int(value.round() as i64) } else { ConfigValue::Float(short(value)) }
    }

    /// From a value back to 0..1.
    pub fn unit(&self, value: f64) -> f64 {
        if self.high <= self.low {
            return 0.0;
        }
        match self.log {
            true => (libm::log(value.max(self.low)) - libm::log(self.low)) / (libm::log(self.high) - libm::log(self.low)),
            false => (value - self.low) / (self.high - self.low),
        }
    }

    pub fn set(&self, config: &mut Config, value: ConfigValue) {
        match (self.at, config.0.get_mut(&*self.setting), value) {
            (Some(at), Some(ConfigValue::Ints(values)), ConfigValue::Int(value)) if at < values.len() => values[at] = value,
            (_, _, value) => drop(config.0.insert(self.setting.to_string(), value)),
        }
    }

    pub fn get(&self, config: &Config) -> f64 {
        match (config.0.get(&*self.setting), self.at) {
            (Some(ConfigValue::Int(value)), _) => *value as f64,
            (Some(ConfigValue::Float(value)), _) => *value,
            (Some(ConfigValue::Ints(values)), at) => values.get(at.unwrap_or_default()).copied().unwrap_or_default() as f64,
            (None, _) => self.low,
        }
    }
}

/// Four digits are plenty for a setting, and read well.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

impl Space {
    /// A point anywhere in the space.
    pub fn anywhere(&self, stream: &mut Stream) -> Config {
        let mut config = self.first[stream.below(self.first.len())].clone();
        self.dimensions.iter().for_each(|axis| axis.set(&mut config, axis.value(stream.unit())));
        config
    }

    /// A point near `config`: most dimensions move a little, one at least.
    pub fn near(&self, config: &Config, stream: &mut Stream) -> Config {
        const STEP: f64 = 0.15;
        let mut near = config.clone();
        let certain = if self.dimensions.is_empty() { 0 } else { stream.below(self.dimensions.len()) };
        for (at, axis) in self.dimensions.iter().enumerate() {
            let moves = stream.unit() < 0.6;
            let step = STEP * stream.normal();
            if moves || at == certain {
                axis.set(&mut near, axis.value(axis.unit(axis.get(config)) + step));
            }
        }
        near
    }
}

/// All that is wrong with `models` is said at once.
pub fn spaces(task: &Task) -> Result<Vec<Space>, Vec<Diagnostic>> {
    match &task.models {
        Models::Auto => {
            let usual = families().iter().filter(|family| family.is_usual() && learns(**family, task.kind));
            Ok(usual.map(|family| automatic(AnyFamily::BuiltIn(*family))).collect())
        }
        Models::Listed(candidates) => {
            let (mut spaces, mut wrong) = (Vec::new(), Vec::new());
            for candidate in candidates {
                match listed(candidate, task.kind) {
                    Ok(space) => spaces.push(space),
                    Err(found) => wrong.extend(found),
                }
            }
            if wrong.is_empty() { Ok(spaces) } else { Err(wrong) }
        }
    }
}

/// May a model of this configuration be used under `models`?
///
/// `network` is what it was made of, if it is a network of the file.
pub fn allows(models: &Models, family: &str, config: &Config, network: Option<&Network>) -> bool {
    let made = |network: &Network| network.with(&|setting| config.0.get(setting).and_then(number));
    let is_made_so = |candidate: &Candidate| match (&candidate.network, network) {
        (Some(wanted), Some(network)) => wanted.admits(&made(network)),
        (wanted, network) => wanted.is_none() && network.is_none(),
    };
    match models {
        Models::Auto => network.is_none(),
        Models::Listed(candidates) => {
            let allows =
                |candidate: &Candidate| candidate.family == *family && is_within(candidate, config) && is_made_so(candidate);
            candidates.iter().any(allows)
        }
    }
}

fn number(value: &ConfigValue) -> Option<f64> {
    match value {
        ConfigValue::Int(value) => Some(*value as f64),
        ConfigValue::Float(value) => Some(*value),
        ConfigValue::Ints(_) => None,
    }
}

/// Has a search under `searched` looked at all that `wanted` names?
pub fn covers(searched: &Models, wanted: &Models) -> bool {
    match (searched, wanted) {
        (Models::Auto, Models::Auto) => true,
        (Models::Listed(_), Models::Auto) => false,
        (Models::Auto, Models::Listed(wanted)) => {
            wanted.iter().all(|candidate| candidate.settings.is_empty() && candidate.network.is_none())
        }
        (Models::Listed(searched), Models::Listed(wanted)) => {
            let same =
                |a: &Candidate, b: &Candidate| a.family == b.family && a.settings == b.settings && a.network == b.network;
            wanted.iter().all(|candidate| searched.iter().any(|other| same(candidate, other)))
        }
    }
}

fn is_within(candidate: &Candidate, config: &Config) -> bool {
    let fits = |(name, choices): (&Name, &Choices)| config.0.get(&**name).is_some_and(|value| is_one_of(choices, value));
    candidate.settings.iter().all(fits)
}

fn is_one_of(choices: &Choices, value: &ConfigValue) -> bool {
    let inside = |dimension: &Dimension, value: f64| match dimension {
        Dimension::Fixed(fixed) => fixed.as_f64() == Some(value),
        Dimension::Range(low, high) => {
            low.as_f64().is_some_and(|low| low <= value) && high.as_f64().is_some_and(|high| value <= high)
        }
    };
    let each = |dimensions: &[Dimension], values: &[i64]| {
        dimensions.len() == values.len() && dimensions.iter().zip(values).all(|(one, value)| inside(one, *value as f64))
    };
    match (choices, value) {
        (Choices::One(one), ConfigValue::Int(value)) => inside(one, *value as f64),
        (Choices::One(one), ConfigValue::Float(value)) => inside(one, *value),
        (Choices::One(Dimension::Fixed(Value::List(items))), ConfigValue::Ints(values)) => {
            each(&items.iter().cloned().map(Dimension::Fixed).collect::<Vec<_>>(), values)
        }
        (Choices::One(one), ConfigValue::Ints(values)) => each(std::slice::from_ref(one), values),
        (Choices::Each(dimensions), ConfigValue::Ints(values)) => each(dimensions, values),
        (Choices::Each(_), ConfigValue::Int(_) | ConfigValue::Float(_)) => false,
    }
}

fn automatic(family: AnyFamily) -> Space {
    let first: Vec<Config> = family.portfolio().iter().map(|changes| family.config(changes)).collect();
    let axes = |setting: &Setting| search_axes(setting, &first[0]);
    let dimensions = family.settings().iter().flat_map(axes).collect();
    Space { family, first, dimensions }
}

/// Where an automatic search looks.
fn search_axes(setting: &Setting, config: &Config) -> Vec<Axis> {
    let axis = |at, low, high, whole, log| Axis { setting: setting.name.clone(), at, low, high, whole, log };
    match setting.kind {
        SettingKind::Int { search: (low, high), .. } if low == high => Vec::new(),
        SettingKind::Int { search: (low, high), .. } => vec![axis(None, low as f64, high as f64, true, true)],
        SettingKind::Scale { search: (low, high), .. } => vec![axis(None, low, high, false, true)],
        SettingKind::Share { search: (low, high), .. } => vec![axis(None, low, high, false, false)],
        SettingKind::Ints { search: (low, high), .. } => {
            let count = config.ints(&setting.name).len();
            (0..count).map(|at| axis(Some(at), low as f64, high as f64, true, true)).collect()
        }
    }
}

fn listed(candidate: &Candidate, kind: TaskKind) -> Result<Space, Vec<Diagnostic>> {
    let family = find(candidate, kind).map_err(|found| vec![found])?;
    let settings = family.settings();
    let mut first = family.config(&Config::default());
    let (mut dimensions, mut wrong) = (Vec::new(), Vec::new());
    for setting in family.always_searched() {
        dimensions.extend(search_axes(&setting, &first));
    }
    for (name, choices) in &candidate.settings {
        let Some(setting) = settings.iter().find(|setting| *name == *setting.name) else {
            wrong.push(unknown_setting(candidate, name, &settings));
            continue;
        };
        match chosen(setting, choices, &first) {
            Some((value, axes)) => {
                first = first.with(&setting.name, value);
                dimensions.extend(axes);
            }
            None => wrong.push(unfit_setting(candidate, setting)),
        }
    }
    if wrong.is_empty() { Ok(Space { family, first: vec![first], dimensions }) } else { Err(wrong) }
}

/// Can it, and may it?
fn learns(family: &dyn Family, kind: TaskKind) -> bool {
    match FamilyFacts::named(family.name()) {
        Some(facts) => facts.learns(&kind),
        None => kind_of(kind).is_some_and(|purpose| family.serves(purpose)),
    }
}

fn find(candidate: &Candidate, kind: TaskKind) -> Result<AnyFamily, Diagnostic> {
    let name = candidate.family.as_str();
    match AnyFamily::of(candidate) {
        Some(family) if learns(&*family, kind) => Ok(family),
        Some(_) => Err(other_purpose(candidate, kind)),
        None if name == "persistence" => Err(persistence_serves_nobody(candidate)),
        None if name == "onnx" || FamilyFacts::named(name).is_some() => Err(not_yet(candidate, kind)),
        None => Err(no_family(candidate, kind)),
    }
}

/// The first value to try, and what to search. None where a value is outside of what the setting may be.
fn chosen(setting: &Setting, choices: &Choices, defaults: &Config) -> Option<(ConfigValue, Vec<Axis>)> {
    let (low, high, whole, log) = match setting.kind {
        SettingKind::Int { low, high, .. } | SettingKind::Ints { low, high, .. } => (low as f64, high as f64, true, true),
        SettingKind::Scale { low, high, .. } => (low, high, false, true),
        SettingKind::Share { low, high, .. } => (low, high, false, false),
    };
    let default = |at: usize| match defaults.0.get(&*setting.name) {
        Some(ConfigValue::Ints(values)) => values.get(at).copied().unwrap_or(32) as f64,
        Some(ConfigValue::Int(value)) => *value as f64,
        Some(ConfigValue::Float(value)) => *value,
        None => low,
    };
    let one = |dimension: &Dimension, at: Option<usize>| -> Option<(f64, Option<Axis>)> {
        let inside = |value: &Value| value.as_f64().filter(|value| (low..=high).contains(value));
        match dimension {
            Dimension::Fixed(value) => Some((inside(value)?, None)),
            Dimension::Range(from, to) => {
                let (from, to) = (inside(from)?, inside(to)?);
                let axis = Axis { setting: setting.name.clone(), at, low: from, high: to, whole, log: log && from > 0.0 };
                (from <= to).then(|| (default(at.unwrap_or_default()).clamp(from, to), Some(axis)))
            }
        }
    };
    match (setting.kind, choices) {
        (SettingKind::Ints { .. }, Choices::One(Dimension::Fixed(Value::List(items)))) => {
            let each = Choices::Each(items.iter().cloned().map(Dimension::Fixed).collect());
            chosen(setting, &each, defaults)
        }
        (SettingKind::Ints { .. }, Choices::One(single)) => {
            let (value, axis) = one(single, Some(0))?;
            Some((ConfigValue::Ints(vec![value as i64]), axis.into_iter().collect()))
        }
        (SettingKind::Ints { most, .. }, Choices::Each(items)) if (1..=most).contains(&items.len()) => {
            let found = items.iter().enumerate().map(|(at, item)| one(item, Some(at))).collect::<Option<Vec<_>>>()?;
            let values = found.iter().map(|(value, _)| *value as i64).collect();
            Some((ConfigValue::Ints(values), found.into_iter().filter_map(|(_, axis)| axis).collect()))
        }
        (SettingKind::Int { .. }, Choices::One(single)) => {
            let (value, axis) = one(single, None)?;
            (value.fract() == 0.0).then(|| (ConfigValue::Int(value as i64), axis.into_iter().collect()))
        }
        (SettingKind::Scale { .. } | SettingKind::Share { .. }, Choices::One(single)) => {
            let (value, axis) = one(single, None)?;
            Some((ConfigValue::Float(value), axis.into_iter().collect()))
        }
        (_, Choices::Each(_)) => None,
    }
}

/// What a setting may be, in words.
fn bounds(family: &str, setting: &Setting) -> String {
    let facts = FamilyFacts::named(family).and_then(|family| family.setting(&setting.name));
    facts.map_or_else(|| setting.name.to_string(), ToString::to_string)
}

fn names(kind: TaskKind) -> Vec<&'static str> {
    families().iter().filter(|family| learns(**family, kind)).map(|family| family.name()).collect()
}

fn no_family(candidate: &Candidate, kind: TaskKind) -> Diagnostic {
    let known = names(kind);
    let help = match nearest(&candidate.family, known.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None => format!("use {}, or `models auto`", known.join(", ")),
    };
    let message = format!("no model family is called `{}`", candidate.family);
    Diagnostic::new(Code::E0554, message).at(candidate.span, "").help(help)
}

fn other_purpose(candidate: &Candidate, kind: TaskKind) -> Diagnostic {
    let what = match kind {
        TaskKind::Classify => "tells no classes apart",
        TaskKind::Regress | TaskKind::Rank => "estimates no numbers",
        TaskKind::Forecast { .. } => "forecasts nothing",
        TaskKind::Detect { .. } => "finds no anomalies",
    };
    Diagnostic::new(Code::E0554, format!("`{}` {what}", candidate.family))
        .at(candidate.span, "")
        .help(format!("use {}", names(kind).join(", ")))
}

fn persistence_serves_nobody(candidate: &Candidate) -> Diagnostic {
    Diagnostic::new(Code::E0199, "`persistence` needs the true label of the row before, so it cannot serve in this version")
        .at(candidate.span, "")
        .help("leave it out: it is measured and printed as a baseline anyway")
}

fn not_yet(candidate: &Candidate, kind: TaskKind) -> Diagnostic {
    Diagnostic::new(Code::E0199, format!("the family `{}` is not in this version", candidate.family))
        .at(candidate.span, "")
        .help(format!("use `models auto`, or a list of {}", names(kind).join(", ")))
}

fn unknown_setting(candidate: &Candidate, name: &str, settings: &[Setting]) -> Diagnostic {
    let message = format!("`{}` has no setting `{name}`", candidate.family);
    let help = match nearest(name, settings.iter().map(|setting| &*setting.name)) {
        Some(near) => format!("write `{near}`"),
        None if settings.is_empty() => format!("write `{}` without settings", candidate.family),
        None => settings.iter().map(|setting| bounds(&candidate.family, setting)).collect::<Vec<_>>().join("; "),
    };
    Diagnostic::new(Code::E0555, message).at(candidate.span, "").help(help)
}

fn unfit_setting(candidate: &Candidate, setting: &Setting) -> Diagnostic {
    let message = format!("`{}` of `{}` cannot have this value", setting.name, candidate.family);
    Diagnostic::new(Code::E0555, message).at(candidate.span, "").help(format!("write {}", bounds(&candidate.family, setting)))
}

#[cfg(test)]
mod tests;
