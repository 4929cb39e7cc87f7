//! Words that people bring from other languages, and what they mean here.

use crate::base::nearest;

use super::words;

/// What to do about a word that is no stage.
pub enum Hint {
    /// Another word in the same place, nothing else to change.
    Word(&'static str),
    /// A sentence.
    Advice(&'static str),
}

/// Stages of SQL, pandas, Node-RED and scikit-learn.
pub fn stage(word: &str) -> Option<Hint> {
    let advice = match word.to_lowercase().as_str() {
        "filter" | "having" | "query" => return Some(Hint::Word("where")),
        "resample_every" => return Some(Hint::Word("resample")),
        "take" | "head" | "first" => return Some(Hint::Word("limit")),
        "order" | "orderby" | "order_by" | "sort_by" | "sort_values" => {
            "write `sort by a within 1min`: rows never end, so it sorts what comes within a while"
        }
        "map" | "mutate" | "assign" | "with_columns" | "function" | "change" | "derive" | "extend" => {
            "new columns are made by `set { name = expression }`"
        }
        "project" | "pick" | "columns" => return Some(Hint::Word("select")),
        "distinct" | "unique" | "drop_duplicates" => "write `dedupe by a within 1min`",
        "aggregate" | "agg" | "reduce" | "groupby" | "group_by" => {
            "rows are gathered by `window 1min by device { … }` or `summarize by device every 1h { … }`"
        }
        "merge" | "left_join" | "inner_join" | "leftjoin" => "write `join other on key within 5s` or `asof other on key`",
        "merge_asof" => return Some(Hint::Word("asof")),
        "concat" | "append" | "union_all" => "write `union [other]`",
        "explode" | "flatten" => return Some(Hint::Word("unnest")),
        "fillna" | "fill_null" => "write `fill { a = 0 }`, or `a else 0` in an expression",
        "dropna" => "write `where a is not null`",
        "lag" | "shift" | "rolling" | "cumsum" | "diff" => {
            "values of earlier rows are made by `scan by device { before = previous(a) }`"
        }
        "fit" | "train" => "learning is declared by itself: `task guess = classify a from s`",
        "train_test_split" | "split" => {
            "the split is declared: `hold_out last 20%` in the task, `validate folds 5` in its policy"
        }
        "print" | "debug" | "show" => "write a sink: `sink seen = s | to stdout`",
        "write" | "save" | "publish" | "output" | "sink" => return Some(Hint::Word("to")),
        "delay" | "sleep" => "write `throttle 1 per 5s`",
        "switch" | "if" => "write `where condition`, or a column with `if … then … else …`",
        _ => return nearest(word, words::STAGES).map(Hint::Word),
    };
    Some(Hint::Advice(advice))
}

/// Kinds of task by another name.
pub fn goal(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "classification" | "classifier" | "logistic" => Some("classify"),
        "regression" | "regressor" | "estimate" => Some("regress"),
        "predict" | "forecasting" => Some("forecast"),
        "anomaly" | "anomalies" | "anomaly_detection" | "outliers" => Some("detect"),
        "ranking" | "sort" => Some("rank"),
        _ => nearest(word, words::GOALS),
    }
}

/// Declarations of other languages, with a sentence.
pub fn declaration(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "import" | "include" | "require" => "write `use \"features.mliot\"`",
        "def" | "fn" | "func" => "a named expression is `let rms(x) = sqrt(mean(x^2))`",
        "const" | "var" | "val" | "set" => "write `let name = expression`, or `param name: type = default`",
        "select" | "from" => "write `stream name = source | where … | select [a, b]`",
        "pipeline" | "flow" | "view" => "write `stream name = source | where … | set { … }`",
        "model" | "train" | "fit" => "learning is declared by a task: `task guess = classify a from s`",
        "output" | "write" => "write `sink name = stream | to jsonl(\"out.jsonl\")`",
        "input" | "read" | "load" => "write `source name { columns { … } recorded csv(\"a.csv\") time at }`",
        "print" => "write `sink seen = s | to stdout`",
        _ => return None,
    })
}

/// Constants of other languages.
pub fn constant(word: &str) -> Option<&'static str> {
    match word {
        "True" | "TRUE" => Some("true"),
        "False" | "FALSE" => Some("false"),
        "None" | "NULL" | "nil" | "NaN" | "undefined" => Some("null"),
        _ => None,
    }
}

/// Types of other languages.
pub fn type_word(written: &str) -> Option<&'static str> {
    let word: String = written.to_lowercase().chars().take_while(|letter| letter.is_alphabetic() || *letter == '_').collect();
    match word.as_str() {
        "string" | "str" | "varchar" | "char" | "utf" => Some("text"),
        "integer" | "long" | "i" | "u" | "uint" | "bigint" | "smallint" | "int" => Some("int"),
        "double" | "real" | "number" | "f" | "decimal" | "numeric" | "float" => Some("float"),
        "boolean" | "bit" => Some("bool"),
        "timestamp" | "datetime" | "date" => Some("time"),
        "timedelta" | "interval" => Some("duration"),
        "blob" | "binary" | "bytea" => Some("bytes"),
        _ => nearest(&word, ["bool", "int", "float", "text", "time", "duration", "bytes"]),
    }
}

/// Units by another name; what it gives is in the closed list.
pub fn unit(word: &str) -> Option<&'static str> {
    Some(match word {
        "sec" | "secs" | "second" | "seconds" | "S" => "s",
        "mins" | "minute" | "minutes" | "Min" => "min",
        "hr" | "hrs" | "hour" | "hours" | "H" => "h",
        "day" | "days" | "D" => "d",
        "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => "ms",
        "usec" | "micros" | "microsecond" | "microseconds" | "µs" | "μs" => "us",
        "C" | "celsius" | "Celsius" | "degc" => "degC",
        "F" | "fahrenheit" | "Fahrenheit" | "degf" => "degF",
        "kelvin" | "Kelvin" => "K",
        "hz" | "HZ" | "hertz" => "Hz",
        "khz" | "Khz" | "KHz" => "kHz",
        "mhz" | "Mhz" => "MHz",
        "kb" | "KB" | "Kb" => "kB",
        "mb" | "Mb" => "MB",
        "kib" => "KiB",
        "mib" | "Mib" => "MiB",
        "pct" | "pc" => "percent",
        "meter" | "meters" | "metre" | "metres" => "m",
        "volt" | "volts" | "v" => "V",
        "watt" | "watts" | "w" => "W",
        "kw" | "KW" => "kW",
        "kwh" | "KWh" => "kWh",
        "amp" | "amps" | "a" => "A",
        "ma" => "mA",
        "pa" => "Pa",
        "hpa" => "hPa",
        "db" | "DB" => "dB",
        "G" | "gs" => "gee",
        "l" | "liter" | "litre" | "liters" | "litres" => "L",
        "mL" => "ml",
        "Kg" | "KG" | "kilogram" | "kilograms" => "kg",
        "gram" | "grams" => "g",
        "PPM" => "ppm",
        "RPM" => "rpm",
        _ => return None,
    })
}

/// A word that stands where an operator is expected, and what to write.
pub fn infix(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "between" => "write `x in 1..5`; both ends are included",
        "like" | "matches" | "contains" => "texts are compared by functions, such as `contains(name, \"lab\")`",
        "equals" | "eq" => "write `==`",
        "mod" => "write `mod(a, b)`",
        "when" | "case" => "write `if … then … else …`, or `match x { 1 -> …; else -> … }`",
        "elif" | "elseif" | "elsif" => "write `else if … then …`",
        "isnull" | "isna" => "write `x is null`",
        _ => return None,
    })
}
