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
    E0102 "no declaration begins with this word",
    E0103 "no stage is called so",
    E0104 "this place has no such clause",
    E0105 "this is how another language writes it",
    E0106 "a blank inside a quantity",
    E0107 "no unit is called so",
    E0108 "said twice",
    E0109 "a separator that is not one here",
    E0110 "grouping is `by`",
    E0111 "comparisons do not chain",
    E0112 "an `if` without `else`",
    E0113 "brackets that do not match",
    E0114 "a text that does not end, or an unknown escape",
    E0115 "nested too deep",
    E0116 "the file is too large",
    E0117 "no type is called so",
    E0118 "a line inside a body is not indented",
    E0119 "values have no parts",
    E0120 "a name and its value are joined otherwise here",
    E0121 "a literal that has no value",
    E0122 "`to` ends a sink, and only a sink",
    E0123 "no kind of task is called so",
    E0124 "an operator at the beginning of a line",
    E0125 "a comment of another language",
    E0126 "several keys without brackets",
    E0199 "not in this version",
    // Names.
    E0201 "nothing has this name",
    // Types and units.
    E0301 "these two do not have the same unit",
    // Time and windows.
    // Tasks and networks.
    // Policies.
    // Connectors.
    E0751 "an address cannot be listened at",
    E0752 "this task cannot be served",
    // Tests.
    // Warnings.
    W0101 "a list without its brackets",
    // At run time.
    R0001 "a calculation failed",
    R0002 "a saved state cannot be read",
    R0951 "the system refused what a run needs",
    R0952 "the compiler failed on this text",
    R0003 "rows do not add up",
    R0004 "a change was refused",
    R0005 "a source has nothing to read",
    R0006 "a change did not take place",
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
