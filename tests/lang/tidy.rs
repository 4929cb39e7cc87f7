//! The house keeps its own rules: floors look down only, files say what they are, codes have pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mliot::diag::Code;

/// Every top module with its floor, and the modules of its own floor that it may read. Floors look down only.
const FLOORS: &[(&str, u32, &[&str])] = &[
    ("base", 0, &[]),
    ("diag", 1, &[]),
    ("ir", 2, &[]),
    ("syntax", 2, &[]),
    ("sema", 3, &[]),
    ("plan", 4, &[]),
    ("compile", 5, &[]),
    ("node", 5, &[]),
    ("ops", 6, &[]),
    ("model", 6, &[]),
    ("io", 6, &[]),
    ("lifecycle", 7, &[]),
    ("runtime", 8, &[]),
    ("host", 9, &["server"]),
    ("server", 9, &[]),
    ("cli", 10, &[]),
];

/// Machines see the graph, never the text: these may not read the language floors.
const MACHINES: &[&str] = &["node", "ops", "model", "io", "lifecycle", "runtime"];
const TEXT: &[&str] = &["syntax", "sema", "compile"];

/// Crates that one folder owns.
const OWNED: &[(&str, &[&str])] = &[
    ("miette", &["diag"]),
    ("pest", &["syntax"]),
    ("pest_derive", &["syntax"]),
    ("notify", &["host", "io"]),
    ("dfdx", &["model"]),
    ("smartcore", &["model"]),
    ("axum", &["server"]),
    ("clap", &["cli"]),
    ("petgraph", &["plan", "runtime"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` with this ending, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|own| own == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `src/plan/graph.rs` belongs to `plan`; `src/lib.rs` and `src/main.rs` to none.
fn module_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).expect("a source file");
    let first = inside.components().next()?.as_os_str().to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(name, "lib" | "main")).then(|| name.to_owned())
}

/// The top modules that a text imports or names by `crate::x`.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split('}').next().unwrap_or_default();
            found.extend(group.split(',').filter_map(first_word));
        } else {
            found.extend(first_word(rest));
        }
    }
    found
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

#[test]
fn floors_look_down_only() {
    let floors: BTreeMap<&str, (u32, &[&str])> = FLOORS.iter().map(|(name, floor, peers)| (*name, (*floor, *peers))).collect();
    let mut wrong = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let Some(own) = module_of(&path) else { continue };
        let Some((floor, peers)) = floors.get(own.as_str()) else {
            wrong.push(format!("{}: `{own}` has no floor", path.display()));
            continue;
        };
        for other in imports(&fs::read_to_string(&path).expect("a source file")) {
            let Some((under, _)) = floors.get(other.as_str()) else { continue };
            let down = other == own || under < floor || peers.contains(&other.as_str());
            let blind = MACHINES.contains(&own.as_str()) && TEXT.contains(&other.as_str());
            if !down || blind {
                wrong.push(format!("{}: `{own}` may not read `{other}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_library_has_its_owner() {
    let mut wrong = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let Some(own) = module_of(&path) else { continue };
        let text = fs::read_to_string(&path).expect("a source file");
        for (library, owners) in OWNED {
            let used = text.contains(&format!("use {library}::")) || text.contains(&format!(" {library}::"));
            if used && !owners.contains(&own.as_str()) {
                wrong.push(format!("{}: only {owners:?} may use `{library}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let mut all = files(&root().join("src"), "rs");
    all.extend(files(&root().join("tests"), "rs"));
    all.extend(files(&root().join("benches"), "rs"));
    let silent: Vec<_> = all
        .iter()
        .filter(|path| !fs::read_to_string(path).expect("a source file").starts_with("//!"))
        .map(|path| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no `//!` header in:\n{}", silent.join("\n"));
}

#[test]
fn every_code_has_a_page_of_its_own() {
    for code in Code::ALL {
        let head = format!("# {code}: {}", code.title());
        let first = code.page().lines().next().unwrap_or_default();
        assert_eq!(first, head, "docs/codes/{code}.md begins with its title");
    }
    let pages: BTreeSet<String> = files(&root().join("docs/codes"), "md")
        .iter()
        .map(|path| path.file_stem().expect("a page").to_string_lossy().into_owned())
        .collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(pages, codes, "a page without a code, or the other way round");
}

#[test]
fn the_architecture_page_names_what_exists() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let named = text.split('`').skip(1).step_by(2).filter(|word| word.contains('/') && !word.contains([' ', '*', '{', ':']));
    let missing: Vec<&str> = named.filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what does not exist: {missing:?}");
    for (module, ..) in FLOORS {
        assert!(text.contains(module), "ARCHITECTURE.md does not say where `{module}` stands");
    }
}
