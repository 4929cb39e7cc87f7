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
    // Policies.
    // Connectors.
    // Tests.
    // Warnings.
    // At run time.
    R0001 "a calculation failed",
    R0002 "a saved state cannot be read",
    R0010 "a stage would have to remember more than its limit",
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
