//! Which directory entries decide what stands at a path.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Symbolic links followed on the way to one file; more than this is a loop.
const LINKS_MAX: usize = 40;

/// The entry itself and every symbolic link on the way to it, each by the real path of its folder. When one of them is
/// replaced, other bytes may stand at `path`: a config map flips the link of a folder, never the file's own entry.
pub fn trail(path: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    walk(&whole, LINKS_MAX, &mut found);
    found
}

fn walk(path: &Path, links_left: usize, found: &mut BTreeSet<PathBuf>) {
    let mut real = PathBuf::new();
    let mut rest = path.components();
    while let Some(part) = rest.next() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => real.push(part),
        }
        if let Ok(target) = fs::read_link(&real) {
            found.insert(real.clone());
            let folder = real.parent().unwrap_or(Path::new("/")).to_owned();
            if links_left > 0 {
                walk(&folder.join(target).join(rest.as_path()), links_left - 1, found);
            }
            return;
        }
    }
    found.insert(real);
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_link_on_the_way_counts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("v1")).unwrap();
        fs::write(root.join("v1/room.mliot"), "x").unwrap();
        symlink("v1", root.join("data")).unwrap();
        symlink("data/room.mliot", root.join("room.mliot")).unwrap();
        let expected = ["data", "room.mliot", "v1/room.mliot"].map(|name| root.join(name));
        assert_eq!(trail(&root.join("room.mliot")), BTreeSet::from(expected));
    }

    #[test]
    fn a_loop_of_links_ends() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert_eq!(trail(&root.join("a")), BTreeSet::from([root.join("a"), root.join("b")]));
    }
}
