//! A convolution's sizes, layout and types, checked once.

use crate::fields::{Reader, check_bytes};
use crate::{Precision, ShapeError};
use std::collections::BTreeMap;

/// How tensors lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Channels are planes: X is n × c × h × w, W is k × c/groups × r × s, Y is n × k × oh × ow.
    Nchw,
    /// Channels are innermost: X is n × h × w × c, W is k × r × s × c/groups, Y is n × oh × ow × k.
    Nhwc,
}

impl Layout {
    /// The name in ids and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nchw => "nchw",
            Self::Nhwc => "nhwc",
        }
    }
}

/// A valid convolution: groups divide channels and filters, the filter fits into the padded image, every side is from 1
/// to 2³¹−1 and every tensor's bytes are below 2⁶³. Pairs are height, then width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvProblem {
    /// The numeric types.
    pub precision: Precision,
    /// The layout of all tensors.
    pub layout: Layout,
    /// Images.
    pub n: u32,
    /// Channels of an image.
    pub c: u32,
    /// Height of an image.
    pub h: u32,
    /// Width of an image.
    pub w: u32,
    /// Filters: channels of the output.
    pub k: u32,
    /// Height of a filter.
    pub r: u32,
    /// Width of a filter.
    pub s: u32,
    /// Steps between the filter's places.
    pub stride: [u32; 2],
    /// Zeros around the image, on each side.
    pub pad: [u32; 2],
    /// Steps between the filter's elements.
    pub dilation: [u32; 2],
    /// Groups of channels that are convolved apart; as many as channels are depthwise.
    pub groups: u32,
}

pub(super) const FIELDS: [&str; 12] =
    ["n", "c", "h", "w", "k", "r", "s", "stride", "pad", "dilation", "groups", "layout"];

impl ConvProblem {
    /// Reads and checks the fields `n c h w k r s` and, optionally, `stride pad dilation groups layout`.
    ///
    /// # Errors
    /// [`ShapeError`], naming the field.
    pub fn from_fields(precision: Precision, fields: &BTreeMap<String, String>) -> Result<Self, ShapeError> {
        let fields = Reader::new("conv2d", fields, &FIELDS)?;
        let layout = match fields.word("layout", &["nchw", "nhwc"])? {
            "nhwc" => Layout::Nhwc,
            _ => Layout::Nchw,
        };
        let problem = Self {
            precision,
            layout,
            n: fields.side_or("n", 1)?,
            c: fields.side("c")?,
            h: fields.side("h")?,
            w: fields.side("w")?,
            k: fields.side("k")?,
            r: fields.side("r")?,
            s: fields.side("s")?,
            stride: fields.pair_or("stride", 1, 1)?,
            pad: fields.pair_or("pad", 0, 0)?,
            dilation: fields.pair_or("dilation", 1, 1)?,
            groups: fields.side_or("groups", 1)?,
        };
        problem.check()?;
        Ok(problem)
    }

    fn check(&self) -> Result<(), ShapeError> {
        for (name, channels) in [("c", self.c), ("k", self.k)] {
            if !channels.is_multiple_of(self.groups) {
                let groups = self.groups;
                return Err(ShapeError(format!("conv2d's groups of {groups} do not divide its {name} of {channels}")));
            }
        }
        let image = [self.h, self.w];
        let filter = [self.r, self.s];
        for (axis, name) in ["height", "width"].into_iter().enumerate() {
            let padded = u64::from(image[axis]) + 2 * u64::from(self.pad[axis]);
            let spread = u64::from(self.dilation[axis]) * u64::from(filter[axis] - 1) + 1;
            if padded > i32::MAX as u64 {
                return Err(ShapeError(format!("conv2d's padded image has a {name} of {padded}, above 2^31 - 1")));
            }
            if spread > padded {
                return Err(ShapeError(format!(
                    "conv2d's filter is larger than the padded input: its {name} is {spread} with dilation, and the \
                     input's is {padded} with padding"
                )));
            }
        }
        // The reduction and the pixels are single indices in kernels.
        let [oh, ow] = self.out();
        for (name, sides) in
            [("filter c/groups·r·s", [self.c / self.groups, self.r, self.s]), ("pixels n·oh·ow", [self.n, oh, ow])]
        {
            if sides.iter().map(|&side| u128::from(side)).product::<u128>() > i32::MAX as u128 {
                return Err(ShapeError(format!("conv2d's {name} are more than 2^31 - 1")));
            }
        }
        let bytes = self.precision.storage().bytes();
        check_bytes("conv2d", "X", &[self.n, self.c, self.h, self.w], bytes)?;
        check_bytes("conv2d", "W", &[self.k, self.c / self.groups, self.r, self.s], bytes)?;
        check_bytes("conv2d", "Y", &[self.n, self.k, oh, ow], bytes)
    }

    /// Height and width of the output.
    pub fn out(&self) -> [u32; 2] {
        let side = |axis: usize, image: u32, filter: u32| {
            let spread = self.dilation[axis] * (filter - 1) + 1;
            (image + 2 * self.pad[axis] - spread) / self.stride[axis] + 1
        };
        [side(0, self.h, self.r), side(1, self.w, self.s)]
    }

    /// Channels of a group.
    pub fn group_c(&self) -> u32 {
        self.c / self.groups
    }

    /// Filters of a group.
    pub fn group_k(&self) -> u32 {
        self.k / self.groups
    }

    /// The length of each sum: c/groups · r · s.
    pub fn depth(&self) -> u32 {
        self.group_c() * self.r * self.s
    }

    /// Pixels of the output over all images: n · oh · ow.
    pub fn pixels(&self) -> u32 {
        let [oh, ow] = self.out();
        self.n * oh * ow
    }

    /// Whether filters are single elements at every place: the convolution is a product of matrices.
    pub(crate) fn is_pointwise(&self) -> bool {
        [self.r, self.s] == [1, 1] && self.stride == [1, 1] && self.pad == [0, 0]
    }

    /// Elements of X, W and Y.
    pub fn elements(&self) -> [u64; 3] {
        [
            u64::from(self.n) * u64::from(self.c) * u64::from(self.h) * u64::from(self.w),
            u64::from(self.k) * u64::from(self.depth()),
            u64::from(self.pixels()) * u64::from(self.k),
        ]
    }
}
