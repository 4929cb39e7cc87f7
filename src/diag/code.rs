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
    E0126 "several columns without brackets",
    E0199 "not in this version",
    // Names.
    E0201 "nothing has this name",
    E0202 "one name stands for two things",
    E0203 "a column of this name exists already",
    E0204 "a column is called like a value of the file",
    E0205 "declarations refer to each other in a circle",
    E0206 "a value from outside is missing or does not fit",
    E0207 "a file cannot be read",
    E0208 "a transform and its use do not fit",
    // Types and units.
    E0301 "these two do not have the same unit",
    E0302 "a scale with a zero of its own",
    E0303 "a value of another type is needed",
    E0304 "null is equal to nothing",
    E0306 "a function is given other arguments than it takes",
    E0307 "an enum has no such value",
    E0308 "a value must be known when the file is read",
    E0309 "a value is outside what is allowed",
    E0310 "a function cannot stand here",
    E0311 "an enum contradicts itself",
    E0312 "two sides of a union differ",
    E0313 "two sides of a join do not fit",
    E0314 "this makes no tensor",
    E0315 "the sample rate is not known",
    // Time and windows.
    E0401 "a source does not say when its rows happened",
    E0402 "this needs a time",
    E0403 "a window that never closes",
    E0404 "clocks of different keys would be mixed",
    E0405 "one value is needed, and a window has many",
    E0406 "a window that cannot be",
    E0407 "the time of a row is no instant",
    E0408 "nothing is bad or late here",
    E0409 "steps that cannot be filled",
    // Tasks and networks.
    E0501 "the target cannot be learned like this",
    E0502 "this cannot be a feature",
    E0503 "a feature gives the target away",
    E0504 "these rows do not carry a task's features",
    E0505 "a task would learn from its own prediction",
    E0506 "a model family that is not known, or cannot learn this",
    E0507 "a clause of another kind of task",
    E0508 "a task has nothing to learn from",
    E0509 "a request cannot carry rows of several sources",
    E0521 "no layer of a network has this name",
    E0522 "a layer cannot have this argument",
    E0523 "a layer does not fit the shape that reaches it",
    E0524 "a network does not end in what its task needs",
    E0525 "features do not fit what takes them",
    E0526 "a network's parameters are not sound",
    E0527 "`train` does not fit the models",
    E0558 "nothing has been learned yet",
    E0551 "there is nothing to learn from",
    E0552 "all rows have the same class",
    E0553 "there are too few rows for this split",
    E0554 "no model family has this name",
    E0555 "this setting does not fit its model family",
    E0556 "no candidate could be trained",
    E0557 "a feature of this type cannot be learned from",
    // Policies.
    E0601 "a metric does not measure this task",
    E0602 "a metric of a class that the target does not have",
    E0603 "an objective points the wrong way",
    E0604 "a comparison that cannot stand here",
    E0651 "this metric cannot be measured for this task",
    E0652 "no candidate meets the requirements",
    // Connectors.
    E0701 "a connector that is not known, or cannot stand here",
    E0702 "a pattern without a column",
    E0703 "a connector has no such option",
    E0704 "something is missing from a source or connector",
    E0705 "a column is filled from two places, or several from one",
    E0706 "two sources are fed from one place",
    E0711 "there is no such file",
    E0712 "this file cannot be read",
    E0713 "the recording is empty",
    E0714 "the data has no such column",
    E0715 "the data is not in the declared format",
    E0716 "there is nothing to read here",
    E0717 "this time cannot be worked out",
    E0718 "this simulation cannot be carried out",
    E0719 "nothing can be written there",
    E0751 "an address cannot be listened at",
    E0752 "this task cannot be served",
    // Tests.
    E0801 "a given row lacks a column",
    E0802 "no number of rows can be right",
    E0811 "an expectation was not met",
    // Warnings.
    W0101 "one column without brackets",
    W0201 "nothing reads a stream",
    W0202 "nothing uses a value",
    W0501 "a hold-out divides a group",
    W0601 "a requirement that can never be broken",
    W0602 "rows wait longer than a requirement allows",
    W0551 "a class is too rare to be judged",
    W0553 "rows at one position were seen by different models",
    W0651 "no candidate meets the requirements, the nearest one is used",
    W0652 "a champion that is kept may have seen some of the rows",
    W0653 "a pinned champion was not replaced",
    // At run time.
    R0001 "a calculation failed",
    R0002 "a saved state cannot be read",
    R0951 "the system refused what a run needs",
    R0952 "the compiler failed on this text",
    R0953 "the engine failed",
    R0003 "rows do not add up",
    R0004 "a change was refused",
    R0005 "a source has nothing to read",
    R0006 "a change did not take place",
    R0711 "reading stopped in the middle",
    R0712 "the recording cannot be put in time order",
    R0713 "writing stopped",
    R0714 "a journal cannot be used",
    R0715 "a journal has reached its limit",
    R0716 "a part of a journal is damaged",
    R0101 "an epoch cannot be read",
    R0102 "the state folder is of another version",
    R0103 "another run uses the state folder",
    R0104 "the state cannot be written",
    R0105 "rows do not come again",
    R0201 "a run has no door for commands",
    R0202 "a run cannot be asked",
    R0203 "there is no such plan",
    R0204 "no edit waits",
    R0205 "a change was taken back by itself",
    R0206 "what a change replaced is too large to be kept",
    R0106 "columns of rows that waited are lost",
    R0010 "a stage would have to remember more than its limit",
    R0501 "a saved model cannot be read",
    R0502 "a row does not fit the model",
    R0503 "a model cannot be written",
    R0504 "no such model is kept",
    R0505 "a model cannot take this place",
}

impl Code {
    pub fn level(self) -> Level {
        if self.as_str().starts_with('W') { Level::Warning } else { Level::Error }
    }
}

impl Code {
    /// Is it the world that failed (a file, a port, a disk, a crash), and not the text that is wrong?
    pub fn is_of_the_world(self) -> bool {
        let text = self.as_str();
        let reading_or_writing = ("E0711"..="E0719").contains(&text);
        text.starts_with('R') || reading_or_writing || [Code::E0207, Code::E0558, Code::E0751].contains(&self)
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
