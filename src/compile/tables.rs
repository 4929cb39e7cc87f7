//! What stands in the files of tables: its hash is part of what a `lookup` means, so a table that is edited is an edit.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::Hash;
use crate::ir::{self, Connector, JoinKind, Op};

use super::World;

/// A file that is longer, in bytes, is read when the graph begins, and not looked at again while it runs.
const FOLLOWED_BYTES_MAX: usize = 16 << 20;

/// Puts the hashes into the program, and gives the files to watch. Files that are no text are not looked at again while the
/// graph runs; one that is missing is said where the table is read.
pub(super) fn digest(program: &mut ir::Program, file: &Path, world: &dyn World) -> Vec<PathBuf> {
    let mut watched = Vec::new();
    let streams = program.streams.values_mut().map(|stream| &mut stream.stages);
    let sinks = program.sinks.values_mut().map(|sink| &mut sink.stages);
    for stage in streams.chain(sinks).flatten() {
        if let Op::Join(join) = &mut stage.op
            && let JoinKind::Lookup { table } = &mut join.kind
            && let Connector::File(recorded) = &table.recorded
        {
            let (path, found) = read(&recorded.path, file, world);
            match found {
                Ok(text) if text.len() <= FOLLOWED_BYTES_MAX => {
                    table.digest = Some(Hash::of_bytes(text.as_bytes()));
                    watched.push(path);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => watched.push(path),
                Ok(_) | Err(_) => {}
            }
        }
    }
    watched.sort();
    watched.dedup();
    watched
}

/// Beside the file, then in the folder of recordings.
fn read(path: &str, file: &Path, world: &dyn World) -> (PathBuf, io::Result<String>) {
    let beside = file.parent().unwrap_or(Path::new("")).join(path);
    let found = world.read(&beside);
    let data = world.env("MLIOT_DATA").filter(|_| found.is_err()).map(|data| Path::new(&data).join(path));
    match data.map(|path| (world.read(&path), path)) {
        Some((Ok(text), path)) => (path, Ok(text)),
        Some((Err(_), _)) | None => (beside, found),
    }
}
