require_relative 'orders'

run Orders
