//! Second moments by running means: variance, standard deviation, slope, correlation.
//!
//! One row at a time after B. P. Welford (1962), states merged after T. F. Chan, G. H. Golub and R. J. LeVeque (1979).

use arrow::datatypes::DataType;

use super::super::super::cell::Cell;
use super::Fold;

/// Of one variable.
#[derive(Clone, Default)]
struct Spread {
    rows: i64,
    mean: f64,
    squares: f64,
}

/// Of two. A time as x is counted from the first one seen, so that its microseconds are not lost in a float.
#[derive(Clone, Default)]
struct Pairs {
    rows: i64,
    anchor: i64,
    mean_x: f64,
    mean_y: f64,
    squares_x: f64,
    squares_y: f64,
    products: f64,
}

/// Of a sample (divided by n - 1); null below two values.
#[derive(Clone, Default)]
pub(in super::super) struct Variance(Spread);

#[derive(Clone, Default)]
pub(in super::super) struct Stddev(Spread);

/// Of the least-squares line of y (the first argument) over x; per second where x is a time. Null where x does not vary.
#[derive(Clone, Default)]
pub(in super::super) struct Slope(Pairs);

/// Pearson's; null where one side does not vary.
#[derive(Clone, Default)]
pub(in super::super) struct Correlation(Pairs);

impl Spread {
    fn update(&mut self, value: f64) {
        self.rows += 1;
        let distance = value - self.mean;
        self.mean += distance / self.rows as f64;
        self.squares += distance * (value - self.mean);
    }

    fn merge(&mut self, later: Spread) {
        if self.rows == 0 || later.rows == 0 {
            if self.rows == 0 {
                *self = later;
            }
            return;
        }
        let (n, m) = (self.rows as f64, later.rows as f64);
        let distance = later.mean - self.mean;
        self.mean += distance * (m / (n + m));
        self.squares += later.squares + distance * distance * (n * m / (n + m));
        self.rows += later.rows;
    }

    fn parts() -> Vec<DataType> {
        vec![DataType::Int64, DataType::Float64, DataType::Float64]
    }

    fn save(&self) -> Vec<Cell> {
        vec![Cell::Int(self.rows), Cell::Float(self.mean), Cell::Float(self.squares)]
    }

    fn load(parts: &[Cell]) -> Spread {
        let float = |nth: usize| parts[nth].as_f64().unwrap_or(0.0);
        Spread { rows: parts[0].as_int().unwrap_or(0), mean: float(1), squares: float(2) }
    }

    fn variance(&self) -> Option<f64> {
        (self.rows > 1).then(|| self.squares / (self.rows - 1) as f64)
    }
}

impl Pairs {
    fn update(&mut self, args: &[Cell]) {
        let Some(y) = args[0].as_f64() else { return };
        let x = match args[1] {
            Cell::Int(time) => {
                if self.rows == 0 {
                    self.anchor = time;
                }
                seconds(time, self.anchor)
            }
            Cell::Float(x) => x,
            Cell::Null | Cell::Bool(_) | Cell::Text(_) | Cell::List(_) | Cell::Other(_) => return,
        };
        self.rows += 1;
        let rows = self.rows as f64;
        let (from_x, from_y) = (x - self.mean_x, y - self.mean_y);
        self.mean_x += from_x / rows;
        self.mean_y += from_y / rows;
        self.squares_x += from_x * (x - self.mean_x);
        self.squares_y += from_y * (y - self.mean_y);
        self.products += from_x * (y - self.mean_y);
    }

    fn merge(&mut self, later: Pairs) {
        if self.rows == 0 || later.rows == 0 {
            if self.rows == 0 {
                *self = later;
            }
            return;
        }
        let (n, m) = (self.rows as f64, later.rows as f64);
        let (share, weight) = (m / (n + m), n * m / (n + m));
        let from_x = later.mean_x + seconds(later.anchor, self.anchor) - self.mean_x;
        let from_y = later.mean_y - self.mean_y;
        self.mean_x += from_x * share;
        self.mean_y += from_y * share;
        self.squares_x += later.squares_x + from_x * from_x * weight;
        self.squares_y += later.squares_y + from_y * from_y * weight;
        self.products += later.products + from_x * from_y * weight;
        self.rows += later.rows;
    }

    fn parts() -> Vec<DataType> {
        let mut parts = vec![DataType::Int64, DataType::Int64];
        parts.resize(7, DataType::Float64);
        parts
    }

    fn save(&self) -> Vec<Cell> {
        let floats = [self.mean_x, self.mean_y, self.squares_x, self.squares_y, self.products];
        [Cell::Int(self.rows), Cell::Int(self.anchor)].into_iter().chain(floats.map(Cell::Float)).collect()
    }

    fn load(parts: &[Cell]) -> Pairs {
        let float = |nth: usize| parts[nth].as_f64().unwrap_or(0.0);
        let int = |nth: usize| parts[nth].as_int().unwrap_or(0);
        Pairs {
            rows: int(0),
            anchor: int(1),
            mean_x: float(2),
            mean_y: float(3),
            squares_x: float(4),
            squares_y: float(5),
            products: float(6),
        }
    }
}

fn seconds(time: i64, since: i64) -> f64 {
    (i128::from(time) - i128::from(since)) as f64 / 1e6
}

impl Fold for Variance {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        Spread::parts()
    }

    fn update(&mut self, args: &[Cell]) {
        args[0].as_f64().into_iter().for_each(|value| self.0.update(value));
    }

    fn merge(&mut self, later: Variance) {
        self.0.merge(later.0);
    }

    fn save(&self) -> Vec<Cell> {
        self.0.save()
    }

    fn load(&self, parts: Vec<Cell>) -> Variance {
        Variance(Spread::load(&parts))
    }

    fn value(&self, result: &DataType) -> Cell {
        self.0.variance().map_or(Cell::Null, |value| Cell::number(value, result))
    }
}

impl Fold for Stddev {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        Spread::parts()
    }

    fn update(&mut self, args: &[Cell]) {
        args[0].as_f64().into_iter().for_each(|value| self.0.update(value));
    }

    fn merge(&mut self, later: Stddev) {
        self.0.merge(later.0);
    }

    fn save(&self) -> Vec<Cell> {
        self.0.save()
    }

    fn load(&self, parts: Vec<Cell>) -> Stddev {
        Stddev(Spread::load(&parts))
    }

    fn value(&self, result: &DataType) -> Cell {
        self.0.variance().map_or(Cell::Null, |value| Cell::number(value.sqrt(), result))
    }
}

impl Fold for Slope {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        Pairs::parts()
    }

    fn update(&mut self, args: &[Cell]) {
        self.0.update(args);
    }

    fn merge(&mut self, later: Slope) {
        self.0.merge(later.0);
    }

    fn save(&self) -> Vec<Cell> {
        self.0.save()
    }

    fn load(&self, parts: Vec<Cell>) -> Slope {
        Slope(Pairs::load(&parts))
    }

    fn value(&self, result: &DataType) -> Cell {
        if self.0.squares_x > 0.0 { Cell::number(self.0.products / self.0.squares_x, result) } else { Cell::Null }
    }
}

impl Fold for Correlation {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        Pairs::parts()
    }

    fn update(&mut self, args: &[Cell]) {
        self.0.update(args);
    }

    fn merge(&mut self, later: Correlation) {
        self.0.merge(later.0);
    }

    fn save(&self) -> Vec<Cell> {
        self.0.save()
    }

    fn load(&self, parts: Vec<Cell>) -> Correlation {
        Correlation(Pairs::load(&parts))
    }

    fn value(&self, result: &DataType) -> Cell {
        let size = (self.0.squares_x * self.0.squares_y).sqrt();
        if size > 0.0 { Cell::number((self.0.products / size).clamp(-1.0, 1.0), result) } else { Cell::Null }
    }
}
