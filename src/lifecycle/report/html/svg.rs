//! Plots as SVG that needs nothing beside itself: a frame with axes, and marks in it.

use std::fmt::Write;

use super::escaped;

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 28.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 42.0;
/// Of a line of text, and of one of its letters.
const NOTE_HEIGHT: f64 = 14.0;
const LETTER_WIDTH: f64 = 6.5;
/// Lines of the grid on an axis, about.
const TICKS: f64 = 5.0;

/// From the least to the greatest value that is drawn, in the data's own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub low: f64,
    pub high: f64,
}

impl Range {
    /// Round these values with a little air; of one value or none some way round it.
    pub fn of(values: impl Iterator<Item = f64>) -> Range {
        let fold = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        let (low, high) = values.filter(|value| value.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), fold);
        match (low <= high, high - low) {
            (false, _) => Range { low: 0.0, high: 1.0 },
            (true, 0.0) => Range { low: low - 0.5 * low.abs().max(1e-3), high: high + 0.5 * high.abs().max(1e-3) },
            (true, width) => Range { low: low - 0.06 * width, high: high + 0.06 * width },
        }
    }

    /// No more than shares can be.
    pub fn within(self, least: f64, most: f64) -> Range {
        Range { low: self.low.max(least), high: self.high.min(most) }
    }

    /// Round numbers inside.
    fn ticks(self) -> Vec<f64> {
        let rough = (self.high - self.low) / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| *step >= rough).unwrap_or(rough);
        let first = (self.low / step).ceil() as i64;
        (first..).map(|nth| nth as f64 * step).take_while(|tick| *tick <= self.high + step * 1e-9).take(20).collect()
    }

    fn share(self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(-0.02, 1.02)
    }
}

/// A plot under construction.
pub struct Plot {
    x: Range,
    y: Range,
    body: String,
    /// Beside the axes, where notes stand.
    right: f64,
    /// Heights at which notes stand already.
    noted: Vec<f64>,
}

impl Plot {
    /// `label` is read to those who do not see it; ticks are written by `of_x` and `of_y`; `notes` are those that will stand beside it.
    pub fn new(
        label: &str,
        (x, x_name): (Range, &str),
        (y, y_name): (Range, &str),
        of_x: &dyn Fn(f64) -> String,
        of_y: &dyn Fn(f64) -> String,
        notes: &[&str],
    ) -> Plot {
        let longest = notes.iter().map(|note| note.chars().count()).max();
        let right = RIGHT.max(longest.map_or(0.0, |letters| letters as f64 * LETTER_WIDTH + 8.0));
        let mut plot = Plot { x, y, body: String::new(), right, noted: Vec::new() };
        let label = escaped(label);
        let _ = write!(plot.body, "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{label}\">");
        for tick in y.ticks() {
            let at = plot.at_y(tick);
            plot.line("grid", (LEFT, at), (WIDTH - right, at));
            plot.text(LEFT - 8.0, at + 4.0, "end", &of_y(tick));
        }
        for tick in x.ticks() {
            let at = plot.at_x(tick);
            plot.text(at, HEIGHT - BOTTOM + 17.0, "middle", &of_x(tick));
        }
        plot.line("axis", (LEFT, HEIGHT - BOTTOM), (WIDTH - right, HEIGHT - BOTTOM));
        plot.text((LEFT + WIDTH - right) / 2.0, HEIGHT - 6.0, "middle", x_name);
        let middle = (TOP + HEIGHT - BOTTOM) / 2.0;
        let name = escaped(y_name);
        let _ =
            write!(plot.body, "<text transform=\"translate(13 {middle:.0}) rotate(-90)\" text-anchor=\"middle\">{name}</text>");
        plot
    }

    pub fn dot(&mut self, class: &str, x: f64, y: f64, radius: f64, title: &str) {
        let (x, y, title) = (self.at_x(x), self.at_y(y), escaped(title));
        let _ = write!(
            self.body,
            "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"><title>{title}</title></circle>"
        );
    }

    /// Between two points of the data.
    pub fn segment(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (from, to) = ((self.at_x(from.0), self.at_y(from.1)), (self.at_x(to.0), self.at_y(to.1)));
        self.line(class, from, to);
    }

    /// From point to point, as steps where `stepped`.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)], stepped: bool) {
        let mut way = String::new();
        for (nth, (x, y)) in points.iter().enumerate() {
            let (x, y) = (self.at_x(*x), self.at_y(*y));
            let _ = match (nth, stepped) {
                (0, _) => write!(way, "M{x:.1} {y:.1}"),
                (_, true) => write!(way, "H{x:.1}V{y:.1}"),
                (_, false) => write!(way, "L{x:.1} {y:.1}"),
            };
        }
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{way}\"/>");
    }

    /// Beside the end of the x axis, at a height, or below it where another one stands.
    pub fn note(&mut self, y: f64, text: &str) {
        let mut at = self.at_y(y) + 4.0;
        while self.noted.iter().any(|other| (other - at).abs() < NOTE_HEIGHT) {
            at += NOTE_HEIGHT;
        }
        self.noted.push(at);
        self.text(WIDTH - self.right + 6.0, at, "start", text);
    }

    pub fn finish(mut self) -> String {
        self.body.push_str("</svg>");
        self.body
    }

    fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = write!(self.body, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let text = escaped(text);
        let _ = write!(self.body, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
    }

    fn at_x(&self, x: f64) -> f64 {
        LEFT + self.x.share(x) * (WIDTH - LEFT - self.right)
    }

    fn at_y(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.share(y) * (HEIGHT - TOP - BOTTOM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_inside() {
        let ticks = |low, high| Range { low, high }.ticks();
        assert_eq!(ticks(0.0, 1.0), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks(-3.0, 12.0), [0.0, 5.0, 10.0]);
        assert!(ticks(0.9712, 0.9838).iter().all(|tick| (0.9712..0.9838).contains(tick)));
    }

    #[test]
    fn a_range_has_some_width_whatever_it_is_of() {
        for values in [vec![], vec![3.0], vec![0.0], vec![f64::NAN], vec![-1.0, 2.0]] {
            let range = Range::of(values.iter().copied());
            assert!(range.high > range.low && range.low.is_finite() && range.high.is_finite(), "{values:?}");
        }
    }

    #[test]
    fn what_others_have_written_is_no_markup() {
        let mut plot = Plot::new(
            "<a>",
            (Range { low: 0.0, high: 1.0 }, "x&"),
            (Range { low: 0.0, high: 1.0 }, "y"),
            &|x| x.to_string(),
            &|y| y.to_string(),
            &[],
        );
        plot.dot("", 0.5, 0.5, 2.0, "<script>");
        let svg = plot.finish();
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;") && svg.contains("x&amp;"), "{svg}");
        assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    }
}
