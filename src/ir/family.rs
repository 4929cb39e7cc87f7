//! Model families: one table says of each what it can learn and which settings it has. What a setting begins with and where a
//! search looks is the affair of whoever fits it.

use std::fmt;

use super::TaskKind;

/// What is to be known of a family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FamilyFacts {
    pub name: &'static str,
    pub classify: bool,
    pub regress: bool,
    pub forecast: bool,
    pub detect: bool,
    /// Does it learn row by row?
    pub online: bool,
    /// None where this version does not train it.
    pub settings: Option<&'static [SettingFacts]>,
}

/// A setting of a family, and what it may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SettingFacts {
    pub name: &'static str,
    pub takes: Takes,
}

/// Both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Takes {
    Whole {
        low: i64,
        high: i64,
    },
    Number {
        low: f64,
        high: f64,
    },
    /// Between one and `most` whole numbers.
    Wholes {
        most: usize,
        low: i64,
        high: i64,
    },
}

const NONE: FamilyFacts =
    FamilyFacts { name: "", classify: false, regress: false, forecast: false, detect: false, online: false, settings: None };
const ANY: FamilyFacts = FamilyFacts { classify: true, regress: true, forecast: true, ..NONE };

/// Of `conv1d` and `conv2d`: the widths of their layers, and how they are trained.
const CONVOLUTION: &[SettingFacts] = &[
    SettingFacts { name: "channels", takes: Takes::Wholes { most: 6, low: 1, high: 1_024 } },
    whole("kernel", 1, 64),
    number("dropout", 0.0, 0.9),
    TRAINING[0],
    TRAINING[1],
    TRAINING[2],
    TRAINING[3],
    TRAINING[4],
    TRAINING[5],
];

/// How a network is trained.
pub const TRAINING: [SettingFacts; 6] = [
    number("lr", 1e-7, 1.0),
    number("decay", 1e-9, 1.0),
    whole("batch", 1, 65_536),
    whole("epochs", 1, 10_000),
    whole("patience", 1, 10_000),
    number("jitter", 0.0, 1.0),
];

/// Of a `network` that the file declares: what it can learn, and how it is trained.
pub const NETWORK: FamilyFacts = FamilyFacts { name: "network", settings: Some(&TRAINING), ..ANY };

/// In the order in which they are named to people.
pub const FAMILIES: &[FamilyFacts] = &[
    FamilyFacts { name: "constant", settings: Some(&[]), ..ANY },
    FamilyFacts { name: "persistence", ..ANY },
    FamilyFacts { name: "logistic", classify: true, settings: Some(&[number("l2", 1e-8, 1e8)]), ..NONE },
    FamilyFacts { name: "linear", regress: true, forecast: true, settings: Some(&[number("l2", 1e-8, 1e8)]), ..NONE },
    FamilyFacts { name: "naive_bayes", classify: true, settings: Some(&[]), ..NONE },
    FamilyFacts { name: "knn", settings: Some(&[whole("k", 1, 1_000)]), ..ANY },
    FamilyFacts { name: "tree", settings: Some(&[whole("depth", 1, 64), whole("leaf", 1, 100_000)]), ..ANY },
    FamilyFacts {
        name: "forest",
        settings: Some(&[whole("trees", 1, 2_000), whole("depth", 1, 64), whole("leaf", 1, 100_000)]),
        ..ANY
    },
    FamilyFacts {
        name: "boosted",
        settings: Some(&[
            whole("trees", 1, 5_000),
            number("rate", 1e-4, 1.0),
            whole("depth", 1, 32),
            number("l2", 1e-6, 1e6),
            number("share", 0.05, 1.0),
        ]),
        ..ANY
    },
    FamilyFacts {
        name: "mlp",
        settings: Some(&[
            SettingFacts { name: "hidden", takes: Takes::Wholes { most: 6, low: 1, high: 4096 } },
            number("lr", 1e-7, 1.0),
            number("dropout", 0.0, 0.9),
            number("decay", 1e-9, 1.0),
            whole("batch", 1, 65_536),
            whole("epochs", 1, 10_000),
            whole("patience", 1, 10_000),
        ]),
        ..ANY
    },
    FamilyFacts { name: "conv1d", settings: Some(CONVOLUTION), ..ANY },
    FamilyFacts { name: "conv2d", settings: Some(CONVOLUTION), ..ANY },
    FamilyFacts { name: "seasonal_naive", forecast: true, settings: Some(&[]), ..NONE },
    FamilyFacts { name: "ets", forecast: true, ..NONE },
    FamilyFacts { name: "arima", forecast: true, ..NONE },
    FamilyFacts { name: "zscore", detect: true, settings: Some(&[]), ..NONE },
    FamilyFacts {
        name: "isolation_forest",
        detect: true,
        settings: Some(&[whole("trees", 1, 2_000), whole("sample", 2, 100_000)]),
        ..NONE
    },
    FamilyFacts { name: "half_space", detect: true, ..NONE },
    FamilyFacts { name: "autoencoder", detect: true, ..NONE },
    FamilyFacts { name: "online_logistic", classify: true, online: true, ..NONE },
    FamilyFacts { name: "hoeffding_tree", classify: true, online: true, ..NONE },
    FamilyFacts { name: "adaptive_forest", classify: true, online: true, ..NONE },
];

const fn whole(name: &'static str, low: i64, high: i64) -> SettingFacts {
    SettingFacts { name, takes: Takes::Whole { low, high } }
}

const fn number(name: &'static str, low: f64, high: f64) -> SettingFacts {
    SettingFacts { name, takes: Takes::Number { low, high } }
}

impl FamilyFacts {
    pub fn named(name: &str) -> Option<&'static FamilyFacts> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    pub fn learns(&self, kind: &TaskKind) -> bool {
        match kind {
            TaskKind::Classify => self.classify,
            TaskKind::Regress | TaskKind::Rank => self.regress,
            TaskKind::Forecast { .. } => self.forecast,
            TaskKind::Detect { .. } => self.detect,
        }
    }

    pub fn is_in_this_version(&self) -> bool {
        self.settings.is_some()
    }

    pub fn setting(&self, name: &str) -> Option<&'static SettingFacts> {
        self.settings.unwrap_or_default().iter().find(|setting| setting.name == name)
    }
}

/// `trees: a whole number in 1..2000`.
impl fmt::Display for SettingFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.takes {
            Takes::Whole { low, high } => write!(f, "{}: a whole number in {low}..{high}", self.name),
            Takes::Number { low, high } => write!(f, "{}: a number in {}..{}", self.name, figure(low), figure(high)),
            Takes::Wholes { most, low, high } => {
                write!(f, "{}: a list of up to {most} whole numbers in {low}..{high}", self.name)
            }
        }
    }
}

/// As the language writes it, and short.
fn figure(value: f64) -> String {
    if value == 0.0 || (0.01..10_000.0).contains(&value) { format!("{value}") } else { format!("{value:e}") }
}
