#!/bin/sh
# fashion_mnist_from_debian.sh FOLDER: the files of the package dataset-fashion-mnist of Debian and Ubuntu, put into a folder
# without root and without installing the package.
set -eu
folder=$1
package=dataset-fashion-mnist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# As root, apt would hand the work to a user who can't write into this folder.
apt() { apt-get -q -o APT::Sandbox::User=root "$@"; }

# With lists of our own: the machine's may be missing, old, or root's to write.
own() { apt -o Dir::State="$work/state" -o Dir::State::lists="$work/state/lists" -o Dir::Cache="$work/cache" -o Debug::NoLocking=1 "$@"; }

echo "Taking Fashion-MNIST out of the package $package ..."
if ! apt download $package; then
  mkdir -p state/lists/partial cache/archives/partial
  own update || true # it fails if only one of many sources does: whether it was enough, the download tells
  own download $package
fi
dpkg -x ${package}_*.deb root
mkdir -p "$folder"
cp root/usr/share/datasets/fashion-mnist/* "$folder"
echo "Fashion-MNIST is now in $folder."
