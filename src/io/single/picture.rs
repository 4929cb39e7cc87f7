//! PNG and JPEG pictures as numbers, channels last.

use std::io::Cursor;

use image::{DynamicImage, ImageReader, Limits};

use crate::io::column::Reason;

use super::Content;

/// Memory that decoding one picture may take.
const DECODED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Elements in 0..1, row after row, in each pixel after pixel with its channels. The declared shape says how many channels there
/// are: 1 is grey (also of two dimensions), 3 colour, 4 with transparency; height and width have to be the picture's own.
/// Without a shape the channels are the picture's.
pub(in crate::io) fn decode(bytes: &[u8], shape: &[u32]) -> Result<Content, Reason> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| no_picture(&error))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| no_picture(&error))?;
    let (height, width) = (picture.height(), picture.width());
    let channels = match shape {
        [] => u32::from(picture.color().channel_count()),
        [high, wide] => fits(&picture, *high, *wide, 1)?,
        [high, wide, channels] => fits(&picture, *high, *wide, *channels)?,
        _ => return Err(format!("a picture has height, width and channels, not {} dimensions", shape.len())),
    };
    let numbers = numbers(picture, channels)?;
    Ok(Content { numbers, shape: vec![height, width, channels], rate_hz: None, channels })
}

fn fits(picture: &DynamicImage, high: u32, wide: u32, channels: u32) -> Result<u32, Reason> {
    if (picture.height(), picture.width()) == (high, wide) {
        return Ok(channels);
    }
    let (height, width) = (picture.height(), picture.width());
    Err(format!("the picture is {height} high and {width} wide, and {high} by {wide} are declared"))
}

fn numbers(picture: DynamicImage, channels: u32) -> Result<Vec<f32>, Reason> {
    Ok(match channels {
        // Grey is taken with the precision that it has.
        1 => picture.into_luma16().into_raw().into_iter().map(|value| f32::from(value) / f32::from(u16::MAX)).collect(),
        2 => picture.into_luma_alpha16().into_raw().into_iter().map(|value| f32::from(value) / f32::from(u16::MAX)).collect(),
        3 => picture.into_rgb32f().into_raw(),
        4 => picture.into_rgba32f().into_raw(),
        other => return Err(format!("a picture has 1, 3 or 4 channels, not {other}")),
    })
}

fn no_picture(error: &dyn std::fmt::Display) -> Reason {
    format!("no PNG or JPEG that can be read: {error}")
}
