//! The closed list of codes. A code never changes its meaning; each has a page in `docs/codes/`.

use std::fmt;
use std::str::FromStr;

/// How bad it is: an error stops the file, a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Error,
    Warning,
}

macro_rules! codes {
    ($($code:ident $title:literal,)*) => {
        /// `E01xx` syntax, `E02xx` names, `E03xx` types and units, `E04xx` time and windows, `E05xx` tasks and networks,
        /// `E06xx` policies, `E07xx` connectors, `E08xx` tests, `W…` warnings, `R…` at run time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $code,)* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$code,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// What the code means, in half a sentence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }

            /// The page that `mliot explain CODE` prints, in Markdown.
            pub fn page(self) -> &'static str {
                match self { $(Code::$code => include_str!(concat!("../../docs/codes/", stringify!($code), ".md")),)* }
            }
        }
    };
}

codes! {
    // Syntax.
    E0101 "this does not read as mliot",
    E0199 "not in this version",
    // Names.
    E0201 "nothing has this name",
    // Types and units.
    E0301 "these two do not have the same unit",
    // Time and windows.
    // Tasks and networks.
    E0551 "there is nothing to learn from",
    E0552 "all rows have the same class",
    E0553 "there are too few rows for this split",
    E0554 "no model family has this name",
    E0555 "this setting does not fit its model family",
    E0556 "no candidate could be trained",
    E0557 "a feature of this type cannot be learned from",
    // Policies.
    E0651 "this metric cannot be measured for this task",
    E0652 "no candidate meets the requirements",
    // Connectors.
    // Tests.
    // Warnings.
    W0551 "a class is too rare to be judged",
    W0552 "the hold-out divides a group",
    W0553 "rows at one position were seen by different models",
    W0651 "no candidate meets the requirements, the nearest one is used",
    // At run time.
    R0001 "a calculation failed",
    R0002 "a saved state cannot be read",
    R0501 "a saved model cannot be read",
    R0502 "a row does not fit the model",
    R0503 "a model cannot be written",
}

impl Code {
    pub fn level(self) -> Level {
        if self.as_str().starts_with('W') { Level::Warning } else { Level::Error }
    }
}

impl FromStr for Code {
    type Err = ();
    fn from_str(text: &str) -> Result<Code, ()> {
        Code::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
