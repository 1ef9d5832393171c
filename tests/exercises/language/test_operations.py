"""Every operation: its spellings give equal calls, and a call gives torch's own result and gradients, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from exercises.language import reader
from exercises.language.expression import Call, Expression, evaluated, names, walk
from exercises.language.operations import OPERATIONS

# A line is one call in several spellings, with two spaces between them. Those that torch itself does not have, such as
# x.f() for a function of torch.nn.functional, are left out.
SPELLINGS = """
x + y  torch.add(x, y)  x.add(y)  torch.add(input=x, other=y)
x - y  torch.sub(x, y)  x.sub(y)  torch.subtract(x, y)
x * 2.0  torch.mul(x, 2.0)  x.mul(2.0)  torch.multiply(x, 2.0)
1 / x
x / y  torch.div(x, y)  x.div(y)  torch.divide(x, other=y)  torch.true_divide(x, y)
x ** 2  torch.pow(x, 2)  x.pow(2)  x.pow(exponent=2)
2 ** x
x ** y  torch.pow(x, y)
x @ A  torch.matmul(x, A)  x.matmul(A)  torch.mm(x, A)  x.mm(A)  torch.mm(x, mat2=A)
v @ w  torch.dot(v, w)  v.dot(w)
x @ v  torch.mv(x, v)  x.mv(v)
m @ k  torch.bmm(m, k)  m.bmm(k)  torch.bmm(m, mat2=k)
-x  torch.neg(x)  x.neg()  torch.negative(x)
torch.maximum(x, y)  x.maximum(y)  torch.max(x, y)  x.max(y)  torch.max(x, other=y)
torch.minimum(x, y)  x.minimum(y)  torch.min(x, y)
torch.fmod(x, 0.3)  x.fmod(0.3)
torch.remainder(x, 0.3)  x.remainder(0.3)
torch.atan2(x, y)  x.atan2(y)  torch.arctan2(x, y)
torch.hypot(x, y)  x.hypot(y)
torch.logaddexp(x, y)  x.logaddexp(y)
torch.xlogy(x, y)  x.xlogy(y)  torch.special.xlogy(x, y)
torch.lerp(x, y, 0.25)  x.lerp(y, 0.25)  torch.lerp(x, end=y, weight=0.25)
torch.addcmul(x, x, y, value=0.5)  x.addcmul(x, y, value=0.5)
torch.addcdiv(x, x, y)  x.addcdiv(x, y)  torch.addcdiv(x, x, y, value=1)
torch.where(mask, x, y)
torch.where(x > 0.5, x, 0.0)
torch.masked_fill(x, mask, 0.0)  x.masked_fill(mask, 0.0)  x.masked_fill(mask=mask, value=0.0)
torch.outer(v, w)  v.outer(w)  torch.ger(v, w)  torch.outer(v, vec2=w)
torch.inner(v, w)  v.inner(w)
torch.addmm(b5, x, A)  b5.addmm(x, A)  torch.addmm(b5, x, A, beta=1)
torch.baddbmm(n5, m, k, alpha=2)  n5.baddbmm(m, k, alpha=2)
torch.tensordot(m, A, 1)  torch.tensordot(m, A, dims=1)
torch.kron(x, y)  x.kron(y)
torch.cross(p3, q3, dim=-1)  torch.linalg.cross(p3, q3)  p3.cross(q3, dim=-1)  torch.linalg.cross(p3, q3, dim=-1)
torch.einsum('bij,bjk->bik', m, k)
torch.abs(x)  x.abs()  torch.absolute(x)
torch.sign(x)  x.sign()
torch.square(x)  x.square()
torch.sqrt(x)  x.sqrt()
torch.rsqrt(x)  x.rsqrt()
torch.reciprocal(x)  x.reciprocal()
torch.exp(x)  x.exp()  torch.exp(input=x)
torch.exp2(x)  x.exp2()
torch.expm1(x)  x.expm1()
torch.log(x)  x.log()
torch.log2(x)  x.log2()
torch.log10(x)  x.log10()
torch.log1p(x)  x.log1p()
torch.sin(x)  x.sin()
torch.cos(x)  x.cos()
torch.tan(x)  x.tan()
torch.asin(x)  x.asin()  torch.arcsin(x)
torch.acos(x)  x.acos()  torch.arccos(x)
torch.atan(x)  x.atan()  torch.arctan(x)
torch.sinh(x)  x.sinh()
torch.cosh(x)  x.cosh()
torch.tanh(x)  x.tanh()  F.tanh(x)
torch.asinh(x)  x.asinh()
torch.acosh(x + 1)  (x + 1).acosh()
torch.atanh(x)  x.atanh()
torch.erf(x)  x.erf()  torch.special.erf(x)
torch.erfc(x)  x.erfc()
torch.lgamma(x)  x.lgamma()  torch.special.gammaln(x)
torch.logit(x)  x.logit()
torch.sinc(x)  x.sinc()
torch.floor(x)  x.floor()
torch.ceil(x)  x.ceil()
torch.round(x)  x.round()
torch.trunc(x)  x.trunc()
torch.frac(x)  x.frac()
torch.clamp(x, 0.2, 0.7)  x.clamp(0.2, 0.7)  x.clamp(min=0.2, max=0.7)  torch.clip(x, 0.2, 0.7)
x.clip(0.2, 0.7)  x.clip(max=0.7, min=0.2)
torch.clamp(x, min=0.3)  x.clamp(min=0.3)  x.clamp(0.3)  x.clamp(0.3, None)
torch.clamp_min(x, 0.3)  x.clamp_min(0.3)  x.clamp_min(min=0.3)
torch.clamp_max(x, 0.3)  x.clamp_max(0.3)
torch.nan_to_num(x)  x.nan_to_num()
torch.sigmoid(x)  F.sigmoid(x)  x.sigmoid()  torch.special.expit(x)
torch.relu(x - 0.5)  F.relu(x - 0.5)  (x - 0.5).relu()
F.relu6(8 * x)
F.leaky_relu(x - 0.5)  F.leaky_relu(x - 0.5, 0.01)  F.leaky_relu(x - 0.5, negative_slope=0.01)
F.leaky_relu(x - 0.5, 0.2)  F.leaky_relu(x - 0.5, negative_slope=0.2)
F.prelu(x - 0.5, v)  torch.prelu(x - 0.5, v)
F.elu(x - 0.5)  F.elu(x - 0.5, alpha=1.0)
F.selu(x - 0.5)  torch.selu(x - 0.5)
F.celu(x - 0.5)  torch.celu(x - 0.5, alpha=1.0)
F.gelu(x)  F.gelu(x, approximate='none')
F.gelu(x, approximate='tanh')
F.silu(x)
F.mish(x)
F.softplus(x)  F.softplus(x, beta=1)  F.softplus(x, 1, 20)
F.logsigmoid(x)
F.softsign(x)
F.tanhshrink(x)
F.softshrink(x)  F.softshrink(x, 0.5)
F.hardshrink(x)  torch.hardshrink(x)
F.threshold(x, 0.5, 0.0)  torch.threshold(x, threshold=0.5, value=0.0)
F.hardtanh(4 * x)  F.hardtanh(4 * x, -1.0, 1.0)
F.hardsigmoid(x)
F.hardswish(x)
F.glu(x)  F.glu(x, -1)  F.glu(x, dim=-1)
t.float()
x.sum()  torch.sum(x)  torch.sum(x, dim=None)
x.sum(1)  torch.sum(x, 1)  x.sum(dim=1)  x.sum(axis=1)  torch.sum(input=x, axis=1, keepdims=False)
x.sum(0, keepdim=True)  torch.sum(x, 0, keepdim=True)  x.sum(0, True)  x.sum(axis=0, keepdims=True)
m.mean((0, 2))  torch.mean(m, (0, 2))  m.mean([0, 2])  m.mean(dim=(0, 2))
x.mean()  torch.mean(x)
x.prod(1)  torch.prod(x, 1)  x.prod(dim=1)
x.var()  torch.var(x)  x.var(unbiased=True)  x.var(correction=1)
x.var(0, unbiased=False)  torch.var(x, 0, False)  x.var(dim=0, correction=0)  x.var(0, False)
x.var(0, keepdim=True)  torch.var(x, dim=0, keepdim=True)  x.var(0, True, True)
x.var(0, correction=2)  torch.var(x, 0, correction=2)
x.std(1)  torch.std(x, 1)  x.std(dim=1, unbiased=True)  x.std(axis=1, correction=1)
torch.var_mean(x, 1)[0]  torch.var_mean(x, dim=1)[0]  torch.var_mean(x, dim=1, correction=1)[0]
torch.std_mean(x, 1)[1]  torch.std_mean(x, dim=1)[1]
x.max()  torch.max(x)
x.max(1).values  torch.max(x, 1).values  x.max(dim=1)[0]  torch.max(x, axis=1).values
x.min(0, keepdim=True).values  torch.min(x, 0, keepdim=True).values  x.min(0, True)[0]
x.amax(1)  torch.amax(x, 1)  x.amax(dim=1)
x.amin((0, 1))  torch.amin(x, (0, 1))
x.median()  torch.median(x)
x.median(1).values  torch.median(x, 1)[0]
x.logsumexp(1)  torch.logsumexp(x, 1)  torch.logsumexp(x, dim=1)  torch.special.logsumexp(x, 1)
x.norm()  torch.norm(x)  x.norm(2)  x.norm(p=2)  torch.norm(x, 'fro')  torch.norm(x, p='fro')
x.norm(dim=1, keepdim=True)  torch.norm(x, dim=1, keepdim=True)  x.norm(2, 1, True)
x.norm(1, dim=0)  torch.norm(x, 1, 0)  x.norm(p=1, dim=0)
torch.linalg.vector_norm(x, dim=1)  torch.linalg.norm(x, dim=1)  torch.linalg.vector_norm(x, 2, 1)
torch.linalg.vector_norm(x)  torch.linalg.norm(x)
torch.linalg.norm(x, 'fro')  torch.linalg.norm(x, ord='fro')
x.cumsum(1)  torch.cumsum(x, 1)  x.cumsum(dim=1)
x.cumprod(1)  torch.cumprod(x, dim=1)
x.cummax(1)[0]  torch.cummax(x, 1).values
x.cummin(1)[0]  torch.cummin(x, 1).values
x.logcumsumexp(1)  torch.logcumsumexp(x, 1)
x.diff()  torch.diff(x)  torch.diff(x, 1, -1)  x.diff(dim=-1)
x.softmax(1)  torch.softmax(x, 1)  F.softmax(x, 1)  F.softmax(x, dim=1)  x.softmax(dim=1)
F.softmin(x, 1)  F.softmin(x, dim=1)
x.log_softmax(-1)  torch.log_softmax(x, -1)  F.log_softmax(x, dim=-1)
F.normalize(x)  F.normalize(x, p=2, dim=1)  F.normalize(x, 2.0, 1)
x.sort(1).values  torch.sort(x, 1).values  x.sort(dim=1)[0]
x.topk(2).values  torch.topk(x, 2).values  x.topk(k=2, dim=-1)[0]
x.kthvalue(2).values  torch.kthvalue(x, 2)[0]  torch.kthvalue(x, k=2, dim=-1)[0]
torch.trace(s)  s.trace()
torch.det(s)  s.det()  torch.linalg.det(s)
torch.logdet(s)  s.logdet()
torch.slogdet(s)[1]  torch.linalg.slogdet(s)[1]
torch.inverse(s)  s.inverse()  torch.linalg.inv(s)
torch.linalg.solve(s, v)  torch.linalg.solve(A=s, B=v)
torch.linalg.cholesky(s @ s.T)
torch.cholesky_solve(A, torch.linalg.cholesky(s @ s.T))  A.cholesky_solve(torch.linalg.cholesky(s @ s.T))
torch.matrix_exp(s)  torch.linalg.matrix_exp(s)
torch.dist(x, y)  x.dist(y)  torch.dist(x, y, p=2)
x[0]
x[:, 1:3]
x[rows, t]
x[range(3), t]
x[..., None]
x.view(4, 3)  x.view((4, 3))
x.view(2, -1)  x.view((2, -1))
x.reshape(-1)  torch.reshape(x, (-1,))  x.reshape((-1,))
m.flatten()  torch.flatten(m)  m.flatten(0, -1)  m.flatten(start_dim=0)
m.flatten(1)  torch.flatten(m, 1)  m.flatten(start_dim=1)
x.unflatten(1, (2, 2))  torch.unflatten(x, 1, (2, 2))  x.unflatten(dim=1, sizes=(2, 2))
m.ravel()  torch.ravel(m)
x.T  x.t()  torch.t(x)
m.transpose(1, 2)  torch.transpose(m, 1, 2)  m.transpose(dim0=1, dim1=2)  m.swapaxes(1, 2)  torch.swapdims(m, 1, 2)
m.permute(2, 0, 1)  torch.permute(m, (2, 0, 1))  m.permute((2, 0, 1))  m.permute(dims=(2, 0, 1))
m.movedim(0, 2)  torch.movedim(m, 0, 2)  torch.moveaxis(m, 0, 2)
x.unsqueeze(1)  torch.unsqueeze(x, 1)  x.unsqueeze(dim=1)
x[:1].squeeze()  torch.squeeze(x[:1])
x[:1].squeeze(0)  torch.squeeze(x[:1], 0)  x[:1].squeeze(dim=0)
v.expand(3, 4)  v.expand((3, 4))  torch.broadcast_to(v, (3, 4))
v.broadcast_to((3, 4))  torch.broadcast_to(v, size=(3, 4))
x.repeat(2, 1)  x.repeat((2, 1))
torch.tile(x, (2, 1))  x.tile((2, 1))  x.tile(2, 1)
x.repeat_interleave(2, 1)  torch.repeat_interleave(x, 2, 1)  x.repeat_interleave(2, dim=1)
x.flip(0)  torch.flip(x, (0,))  x.flip((0,))  x.flip(dims=(0,))
torch.fliplr(x)  x.fliplr()
torch.flipud(x)  x.flipud()
x.roll(1, 0)  torch.roll(x, 1, 0)  x.roll(shifts=1, dims=0)
s.tril()  torch.tril(s)  s.tril(0)  s.tril(diagonal=0)
s.triu(1)  torch.triu(s, 1)  s.triu(diagonal=1)
torch.diag(v)  v.diag()
s.diagonal()  torch.diagonal(s)  s.diagonal(0)
torch.diag_embed(v)  v.diag_embed()
torch.cat([x, y])  torch.cat((x, y), 0)  torch.cat([x, y], dim=0)
torch.concat([x, y], axis=0)  torch.concatenate([x, y])
torch.cat([x, y], 1)  torch.cat((x, y), dim=1)
torch.stack([v, w])  torch.stack((v, w), dim=0)
torch.hstack([v, w])  torch.hstack((v, w))
torch.vstack([v, w])  torch.vstack((v, w))
x.chunk(2, 1)[0]  torch.chunk(x, 2, 1)[0]  x.chunk(2, dim=1)[0]
x.split(2, 1)[1]  torch.split(x, 2, dim=1)[1]
x.split([1, 3], 1)[1]  x.split((1, 3), dim=1)[1]
x.tensor_split(2, 1)[1]  torch.tensor_split(x, 2, 1)[1]
x.unbind()[1]  torch.unbind(x, 0)[1]  x.unbind(dim=0)[1]
x.narrow(1, 1, 2)  torch.narrow(x, 1, 1, 2)  x.narrow(dim=1, start=1, length=2)
x.select(1, 2)  torch.select(x, 1, 2)
F.pad(x, (1, 1))  F.pad(x, [1, 1])  F.pad(x, pad=(1, 1), mode='constant')
F.pad(x, (1, 1), value=0.5)  F.pad(x, (1, 1), 'constant', 0.5)
seq.unfold(2, 3, 1)  seq.unfold(dimension=2, size=3, step=1)
F.unfold(img, 3)  F.unfold(img, kernel_size=3)
F.fold(F.unfold(img, 3), (6, 6), 3)  F.fold(F.unfold(img, 3), output_size=(6, 6), kernel_size=3)
x.gather(1, idx)  torch.gather(x, 1, idx)  x.gather(dim=1, index=idx)
torch.take_along_dim(x, idx, 1)  x.take_along_dim(idx, dim=1)
x.index_select(1, t)  torch.index_select(x, 1, t)
x.scatter(1, idx, y[:, :2])  torch.scatter(x, 1, idx, y[:, :2])  x.scatter(dim=1, index=idx, src=y[:, :2])
x.scatter_add(1, idx, y[:, :2])  torch.scatter_add(x, 1, idx, y[:, :2])
x.index_add(1, t, x[:, :3])  torch.index_add(x, 1, t, x[:, :3])
x.index_put((rows, t), v[:3])  torch.index_put(x, (rows, t), v[:3])
x.select_scatter(v, 0, 1)  torch.select_scatter(x, v, 0, 1)
x.slice_scatter(y[:1], 0, 1, 2)  torch.slice_scatter(x, y[:1], 0, 1, 2)  x.slice_scatter(y[:1], start=1, end=2)
F.embedding(t, table)  F.embedding(t, weight=table)
F.pixel_shuffle(deep, 2)  torch.pixel_shuffle(deep, 2)
F.pixel_unshuffle(img, 2)  torch.pixel_unshuffle(img, 2)
F.linear(x, table, b5)  F.linear(x, weight=table, bias=b5)
F.linear(x, table)  F.linear(x, table, None)
F.bilinear(x, y, K3, b5)  F.bilinear(x, y, K3, bias=b5)
F.conv1d(seq, K1)  torch.conv1d(seq, K1)  F.conv1d(seq, weight=K1, bias=None, stride=1)
F.conv2d(img, K2, v, 1, 1)  F.conv2d(img, K2, v, padding=1)  F.conv2d(img, K2, bias=v, stride=1, padding=1)
F.conv3d(img[:, None], K5)  torch.conv3d(img[:, None], K5)
F.conv_transpose1d(seq, T1)  torch.conv_transpose1d(seq, T1, stride=1)
F.conv_transpose2d(img, T2, stride=2)  F.conv_transpose2d(img, T2, None, 2)
F.max_pool1d(seq, 2)  F.max_pool1d(seq, kernel_size=2)
F.max_pool2d(img, 2)  F.max_pool2d(img, kernel_size=2)
F.avg_pool1d(seq, 2)  F.avg_pool1d(seq, kernel_size=2)
F.avg_pool2d(img, 2)  F.avg_pool2d(img, kernel_size=2, stride=None)
F.adaptive_avg_pool1d(seq, 4)  F.adaptive_avg_pool1d(seq, output_size=4)
F.adaptive_avg_pool2d(img, (2, 2))  F.adaptive_avg_pool2d(img, [2, 2])
F.adaptive_max_pool1d(seq, 4)  F.adaptive_max_pool1d(seq, output_size=4)
F.adaptive_max_pool2d(img, 2)  F.adaptive_max_pool2d(img, output_size=2)
F.interpolate(img, scale_factor=2.0)  F.interpolate(img, scale_factor=2.0, mode='nearest')
F.layer_norm(x, (4,))  F.layer_norm(x, [4])  F.layer_norm(x, (4,), None, None, 1e-5)
F.layer_norm(x, (4,), v, w)  F.layer_norm(x, (4,), weight=v, bias=w)
F.rms_norm(x, (4,), v)  F.rms_norm(x, (4,), weight=v)
F.batch_norm(x, None, None, v, w, True)  F.batch_norm(x, None, None, weight=v, bias=w, training=True)
F.group_norm(img, 2)  F.group_norm(img, num_groups=2)
F.instance_norm(img)  F.instance_norm(img, eps=1e-5)
F.scaled_dot_product_attention(m, m, m)  F.scaled_dot_product_attention(m, m, value=m)
F.scaled_dot_product_attention(m, m, m, is_causal=True)  F.scaled_dot_product_attention(m, m, m, None, 0.0, True)
F.cosine_similarity(x, y)  torch.cosine_similarity(x, y)  F.cosine_similarity(x, y, dim=1)
F.pairwise_distance(x, y)  F.pairwise_distance(x, y, p=2.0)
torch.cdist(x, y)  torch.cdist(x, y, p=2.0)
F.cross_entropy(x, t)  F.cross_entropy(x, target=t, reduction='mean')  F.cross_entropy(input=x, target=t)
F.cross_entropy(x, t, reduction='sum', label_smoothing=0.1)  F.cross_entropy(x, t, label_smoothing=0.1, reduction='sum')
F.nll_loss(x, t)  F.nll_loss(x, t, reduction='mean')
F.mse_loss(x, y)  F.mse_loss(x, target=y)  F.mse_loss(x, y, reduction='mean')
F.l1_loss(x, y)  F.l1_loss(input=x, target=y)
F.smooth_l1_loss(x, y)  F.smooth_l1_loss(x, y, beta=1.0)
F.huber_loss(x, y, delta=0.1)  F.huber_loss(x, y, reduction='mean', delta=0.1)
F.binary_cross_entropy(x, y)  F.binary_cross_entropy(x, y, None)
F.binary_cross_entropy_with_logits(x, y)  F.binary_cross_entropy_with_logits(x, y, reduction='mean')
F.kl_div(x.log(), y, reduction='batchmean')  F.kl_div(x.log(), target=y, reduction='batchmean', log_target=False)
F.poisson_nll_loss(x, y)  F.poisson_nll_loss(x, y, log_input=True)
F.gaussian_nll_loss(x, y, x)  F.gaussian_nll_loss(x, target=y, var=x)
F.soft_margin_loss(x, pm)  F.soft_margin_loss(x, pm, reduction='mean')
F.hinge_embedding_loss(x, pm)  F.hinge_embedding_loss(x, pm, margin=1.0)
F.margin_ranking_loss(v, w, pm[0])  F.margin_ranking_loss(v, w, pm[0], margin=0)
F.triplet_margin_loss(x, y, x * y)  F.triplet_margin_loss(x, y, x * y, margin=1.0)
F.cosine_embedding_loss(x, y, pm[:, 0])  F.cosine_embedding_loss(x, y, pm[:, 0], margin=0)
F.multi_margin_loss(x, t)  F.multi_margin_loss(x, t, 1, 1.0)
"""

WITHOUT_GRADIENT = """
x.detach()
x.long()
x.bool()
x < y  torch.lt(x, y)  x.lt(y)  torch.less(x, y)
x <= 0.5  torch.le(x, 0.5)  x.le(0.5)  torch.less_equal(x, 0.5)
x > y  torch.gt(x, y)  x.gt(y)  torch.greater(x, y)
x >= 0.5  torch.ge(x, 0.5)  x.ge(0.5)  torch.greater_equal(x, 0.5)
x == y  torch.eq(x, y)  x.eq(y)
x != y  torch.ne(x, y)  x.ne(y)  torch.not_equal(x, y)
torch.isnan(x)  x.isnan()
torch.isinf(x)  x.isinf()
torch.isfinite(x)  x.isfinite()
torch.logical_and(mask, x > 0.5)  mask.logical_and(x > 0.5)
torch.logical_or(mask, x > 0.5)  mask.logical_or(x > 0.5)
torch.logical_xor(mask, x > 0.5)  mask.logical_xor(x > 0.5)
torch.logical_not(mask)  mask.logical_not()
torch.bitwise_and(mask, x > 0.5)  mask.bitwise_and(x > 0.5)
torch.bitwise_or(mask, x > 0.5)
torch.bitwise_xor(mask, x > 0.5)
torch.bitwise_not(mask)  mask.bitwise_not()
torch.floor_divide(t, 2)  t.floor_divide(2)
torch.any(mask, 1)  mask.any(1)  mask.any(dim=1)
torch.all(mask)  mask.all()
torch.count_nonzero(mask)  mask.count_nonzero()
x.argmax(1)  torch.argmax(x, 1)  x.argmax(dim=1)  torch.argmax(x, axis=1, keepdims=False)
x.argmin(1)  torch.argmin(x, dim=1)
x.argsort(1)  torch.argsort(x, 1)  x.argsort(dim=1)
torch.bincount(t)  t.bincount()
torch.bucketize(x, edges)  torch.bucketize(x, boundaries=edges)
torch.searchsorted(edges, x)
F.one_hot(t, 4)  F.one_hot(t, num_classes=4)
torch.zeros(3, 4)  torch.zeros((3, 4))  torch.zeros_like(x)
torch.ones(3, 4)  torch.ones((3, 4))  torch.ones_like(x)
torch.full((3, 4), 0.5)  torch.full_like(x, 0.5)
torch.eye(4)
torch.arange(0, 12, 1)  torch.arange(12)  torch.arange(0, 12)
torch.linspace(0.0, 1.0, 4)
torch.tensor((1.0, 2.0))
torch.meshgrid(t, rows, indexing="ij")[0]
torch.triu_indices(3, 4)  torch.triu_indices(3, 4, offset=0)
torch.tril_indices(3, 4)
"""


def rows(table: str) -> list[list[str]]:
    return [[each.strip() for each in row.split("  ")] for row in table.strip().splitlines()]


def drawn() -> dict[str, Tensor]:
    """Return samples. Floats lie between 0 and 1, are all different, and require a gradient."""
    generator = torch.Generator().manual_seed(7)
    shapes = {
        "x": (3, 4), "y": (3, 4), "s": (4, 4), "A": (4, 5), "v": (4,), "w": (4,), "m": (2, 3, 4), "k": (2, 4, 5),
        "n5": (2, 3, 5), "p3": (4, 3), "q3": (4, 3), "b5": (5,), "img": (1, 2, 6, 6), "deep": (1, 4, 3, 3),
        "seq": (2, 3, 8), "table": (5, 4), "K1": (4, 3, 3), "K2": (4, 2, 3, 3), "K3": (5, 4, 4), "K5": (4, 1, 2, 3, 3),
        "T1": (3, 4, 3), "T2": (2, 3, 2, 2),
    }  # fmt: skip
    floats = {
        name: (torch.rand(shape, generator=generator) * 0.8 + 0.1).requires_grad_() for name, shape in shapes.items()
    }
    with torch.no_grad():
        floats["s"] += 2 * torch.eye(4)
    return floats | {
        "t": torch.tensor([2, 0, 3]),
        "rows": torch.tensor([0, 1, 2]),
        "idx": torch.tensor([[0, 3], [2, 1], [3, 0]]),
        "mask": torch.rand(3, 4, generator=generator) < 0.5,
        "pm": torch.rand(3, 4, generator=generator).sub(0.5).sign(),
        "edges": torch.tensor([0.2, 0.5, 0.7]),
    }


SAMPLES = drawn()
Compute = Callable[[dict[str, Tensor]], Tensor]
LIBRARY = {"torch": torch, "F": F, "range": range}


def read(spelling: str) -> Expression:
    """Return the call of a spelling, inside of what makes a number of it."""
    return reader.read(f"loss = x.sum() + ({spelling}).float().sum()", SAMPLES).lines[-1].expression


def operations_of(table: str) -> set[str]:
    calls = [each for first, *_ in rows(table) for each in walk(read(first)) if isinstance(each, Call)]
    return {each.operation for each in calls}


@pytest.mark.parametrize("spellings", rows(SPELLINGS) + rows(WITHOUT_GRADIENT), ids=lambda row: row[0])
def test_spellings_give_equal_calls_and_torch_s_own_bits(spellings: list[str]) -> None:
    expressions = [read(each) for each in spellings]
    assert [each for each in expressions if each != expressions[0]] == []

    read_names = names(expressions[0])
    ours = result_and_gradients(read_names, lambda leaves: evaluated(expressions[0], leaves.__getitem__))
    for spelling in spellings:
        code = f"x.sum() + ({spelling}).float().sum()"
        theirs = result_and_gradients(read_names, partial(eval, code, LIBRARY))
        assert ours.keys() == theirs.keys()
        assert [name for name, tensor in ours.items() if not torch.equal(tensor, theirs[name])] == []


def result_and_gradients(read_names: Iterable[str], compute: Compute) -> dict[str, Tensor]:
    """Return the result of a computation, and the gradient of each leaf that it reads."""
    leaves = {name: SAMPLES[name].detach().clone() for name in read_names}
    for name, leaf in leaves.items():
        leaf.requires_grad_(SAMPLES[name].requires_grad)
    result = compute(leaves)
    result.backward()
    gradients = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
    return gradients | {"the result": result.detach()}


def test_every_operation_is_among_them() -> None:
    spelled = operations_of(SPELLINGS) | operations_of(WITHOUT_GRADIENT)

    # linalg_cross is cross in its one form.
    assert set(OPERATIONS) - spelled == {"linalg_cross"}


def test_operations_without_a_gradient_are_those_of_the_table() -> None:
    found = operations_of(WITHOUT_GRADIENT) - {"add", "sum", "float"}

    assert {name for name in found if OPERATIONS[name].differentiable} == set()
    assert {name for name, each in OPERATIONS.items() if not each.differentiable} == found


@pytest.mark.parametrize(
    ("parameter", "value", "is_default"),
    [("keepdim", False, True), ("keepdim", 0, False), ("dim", None, True), ("dim", 0, False), ("input", None, False)],
)
def test_a_default_is_told_from_what_is_equal_to_it(parameter: str, value: object, is_default: bool) -> None:
    assert OPERATIONS["sum"].is_default(parameter, value) == is_default


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
@pytest.mark.filterwarnings("error")
def test_a_loss_of_two_shapes_is_torchs_and_warns_of_nothing(name: str) -> None:
    x, y = torch.arange(6.0).reshape(2, 3).requires_grad_(), torch.tensor([1.0, 0.5, -2.0])

    loss = OPERATIONS[name].apply(input=x, target=y)

    assert torch.equal(loss, getattr(F, name)(x, y.expand(2, 3)))
    assert torch.equal(*torch.autograd.grad(loss, x), *torch.autograd.grad(getattr(F, name)(x, y.expand(2, 3)), x))
