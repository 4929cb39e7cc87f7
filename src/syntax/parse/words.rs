//! Which words stand where: for messages, and for cutting the text.

/// Begin a declaration in column 0.
pub const DECLARATIONS: [&str; 15] = [
    "param",
    "let",
    "source",
    "stream",
    "transform",
    "table",
    "network",
    "task",
    "policy",
    "sink",
    "serve",
    "test",
    "use",
    "function",
    "unit",
];

/// The declarations of a pipeline's file; the others are for `stdlib/`.
pub const OF_A_FILE: usize = 13;

pub const STAGES: [&str; 23] = [
    "where",
    "set",
    "select",
    "drop",
    "rename",
    "scan",
    "window",
    "summarize",
    "join",
    "asof",
    "lookup",
    "resample",
    "fill",
    "dedupe",
    "union",
    "unnest",
    "sample",
    "throttle",
    "limit",
    "sort",
    "predict",
    "top",
    "to",
];

pub const GOALS: [&str; 5] = ["classify", "regress", "forecast", "detect", "rank"];

/// A body, and the clauses that it may have.
pub struct Place {
    /// With its article: `a task`.
    pub article: &'static str,
    pub clauses: &'static [&'static str],
    /// Words of other clauses or languages, and what to do instead.
    pub instead: &'static [(&'static str, &'static str)],
    /// Words of the language that this version does not carry out.
    pub later: &'static [&'static str],
}

pub const SOURCE: Place = Place {
    article: "a source",
    clauses: &["columns", "recorded", "live", "keep", "time"],
    instead: &[
        ("lateness", "write it behind the time: `time at, lateness 1min`"),
        ("idle", "write it behind the time: `time at, idle 30s`"),
        ("ahead", "write it behind the time: `time at, ahead 5min`"),
        ("simulate", "say where it stands: `live simulate { … }` or `recorded simulate { … }`"),
        ("schema", "write `columns { name: type … }`"),
        ("key", "a source has no key; name it where rows are gathered: `| window 5s by device { … }`"),
    ],
    later: &[],
};

pub const TABLE: Place = Place {
    article: "a table",
    clauses: &["columns", "recorded", "key"],
    instead: &[("live", "a table is read from a file: `recorded csv(\"rooms.csv\")`; rows that come in are a `source`")],
    later: &[],
};

pub const SIMULATE: Place = Place {
    article: "`simulate`",
    clauses: &["rows", "seed", "span", "columns", "drift", "late", "drop", "duplicate", "spike", "gap", "delay"],
    instead: &[],
    later: &[],
};

pub const TASK: Place = Place {
    article: "a task",
    clauses: &[
        "features", "labels", "hold_out", "start", "group", "balance", "weights", "per", "models", "history", "policy",
        "train", "flag", "truth",
    ],
    instead: &[
        ("test_size", "write `hold_out last 20%`"),
        ("train_test_split", "write `hold_out last 20%`; the policy says how the rest is split: `validate folds 5`"),
        ("split", "write `hold_out last 20%`; the policy says how the rest is split: `validate folds 5`"),
        ("validate", "how candidates are compared stands in the policy: `policy fast { validate last 20% }`"),
        ("search", "how long to search stands in the policy: `policy fast { search 40 trials, 30s }`"),
        ("maximize", "what counts as good stands in the policy: `policy fast { maximize accuracy }`"),
        ("minimize", "what counts as good stands in the policy: `policy fast { minimize mae }`"),
        ("require", "what must hold stands in the policy: `policy fast { require latency.p99 <= 5ms }`"),
        ("retrain", "when to train again stands in the policy: `policy fast { retrain when drift }`"),
        ("promote", "when to switch stands in the policy: `policy fast { promote when better by 1% }`"),
        ("fit", "a task is trained by itself; `models [...]` says what to try"),
        ("model", "write `models [boosted]`"),
        ("target", "the target stands in the first line: `classify occupied from air`"),
        ("label", "the target stands in the first line: `classify occupied from air`"),
        ("epochs", "write `train { epochs 50 }`"),
        ("optimizer", "write `train { optimizer adam(lr: 1e-3) }`"),
        ("batch", "write `train { batch 64 }`"),
    ],
    later: &["place", "link", "compress", "rate"],
};

pub const TRAIN: Place = Place {
    article: "`train`",
    clauses: &["optimizer", "epochs", "batch", "patience", "augment"],
    instead: &[
        ("lr", "write `optimizer adam(lr: 1e-3)`"),
        ("learning_rate", "write `optimizer adam(lr: 1e-3)`"),
        ("batch_size", "write `batch 64`"),
    ],
    later: &[],
};

pub const POLICY: Place = Place {
    article: "a policy",
    clauses: &[
        "maximize", "minimize", "require", "search", "validate", "seed", "retrain", "promote", "rollback", "allow", "priority",
        "share", "keep", "when",
    ],
    instead: &[
        ("optimize", "write `maximize accuracy` or `minimize mae`"),
        ("hold_out", "what no model may see stands in the task: `hold_out last 20%`"),
        ("models", "what to try stands in the task: `models [logistic, boosted]`"),
        ("features", "what to learn from stands in the task: `features [a, b]`"),
        ("group", "groups stand in the task: `group by subject`"),
        ("budget", "write `search 40 trials, 30s`"),
    ],
    later: &["place", "link", "compress", "rate"],
};

pub const TEST: Place = Place {
    article: "a test",
    clauses: &["given", "edit", "drop", "duplicate", "delay", "disconnect", "restart", "expect"],
    instead: &[("assert", "write `expect air count 1`"), ("when", "write `edit set fresh = 500`")],
    later: &[],
};

pub const FUNCTION: Place =
    Place { article: "a function", clauses: &["kind", "unit", "state", "example"], instead: &[], later: &[] };

/// Declarations whose word is also a clause: in column 0 they begin a declaration, even where a clause was meant.
pub const CLAUSES_TOO: [&str; 2] = ["policy", "unit"];

/// No column is called so, but in backticks.
pub const RESERVED: [&str; 13] = ["and", "or", "not", "if", "then", "else", "match", "in", "is", "as", "true", "false", "null"];
