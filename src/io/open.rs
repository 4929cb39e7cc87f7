//! Opening a file: unpacking is told by its ending.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::error::{IoError, cannot_be_read};
use super::path::Found;

/// Bytes of a file that are read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// The unpacked bytes of a file.
pub(super) type Bytes = BufReader<Box<dyn Read + Send>>;

/// How the file is packed, by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    pub fn of(path: &Path) -> Packing {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some(ending) if ending.eq_ignore_ascii_case("gz") => Packing::Gzip,
            Some(ending) if ending.eq_ignore_ascii_case("zst") => Packing::Zstd,
            _ => Packing::None,
        }
    }
}

/// Bytes of a file of one row, unpacked.
const WHOLE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A file or a member of an archive, from its beginning.
pub(super) fn of(found: &Found) -> Result<Bytes, IoError> {
    match &found.member {
        None => bytes(&found.path),
        Some(member) => {
            let inside: Box<dyn Read + Send> = Box::new(Cursor::new(member.clone()));
            let name = Path::new(found.name.as_str());
            let reader: Box<dyn Read + Send> = match Packing::of(name) {
                Packing::None => inside,
                Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, inside))),
                Packing::Zstd => Box::new(zstd::Decoder::new(inside).map_err(|error| cannot_be_read(name, &error))?),
            };
            Ok(BufReader::with_capacity(BUFFER_BYTES, reader))
        }
    }
}

/// Must its records be passed over one by one, because no byte of it can be gone to?
pub(super) fn is_packed(found: &Found) -> bool {
    found.member.is_some() || Packing::of(&found.path) != Packing::None
}

/// Everything in it at once.
pub(super) fn whole(found: &Found) -> Result<Vec<u8>, IoError> {
    let mut out = Vec::new();
    let read = of(found)?.take(WHOLE_BYTES_MAX + 1).read_to_end(&mut out);
    read.map_err(|error| cannot_be_read(&found.path, &error))?;
    if out.len() as u64 > WHOLE_BYTES_MAX {
        let error = std::io::Error::other(format!("it has more than {} MiB", WHOLE_BYTES_MAX >> 20));
        return Err(cannot_be_read(&found.path, &error));
    }
    Ok(out)
}

/// From its beginning.
pub(super) fn bytes(path: &Path) -> Result<Bytes, IoError> {
    unpacked(path, file(path)?)
}

/// From this byte on; only of files that are not packed.
pub(super) fn bytes_from(path: &Path, byte: u64) -> Result<Bytes, IoError> {
    let mut file = file(path)?;
    file.seek(SeekFrom::Start(byte)).map_err(|error| cannot_be_read(path, &error))?;
    Ok(BufReader::with_capacity(BUFFER_BYTES, Box::new(file)))
}

pub(super) fn file(path: &Path) -> Result<File, IoError> {
    let file = File::open(path).map_err(|error| cannot_be_read(path, &error))?;
    let is_folder = file.metadata().map_err(|error| cannot_be_read(path, &error))?.is_dir();
    if is_folder { Err(cannot_be_read(path, &std::io::ErrorKind::IsADirectory.into())) } else { Ok(file) }
}

fn unpacked(path: &Path, file: File) -> Result<Bytes, IoError> {
    let reader: Box<dyn Read + Send> = match Packing::of(path) {
        Packing::None => Box::new(file),
        Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, file))),
        Packing::Zstd => Box::new(zstd::Decoder::new(file).map_err(|error| cannot_be_read(path, &error))?),
    };
    Ok(BufReader::with_capacity(BUFFER_BYTES, reader))
}
